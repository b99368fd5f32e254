# SPDX-License-Identifier: GPL-2.0-only
# stuck.awk CONSOLE: of a boot that did not end by itself, for whoever has but the results: where
# tasks were, shortly before time was over, that were in KVM, in ftrace, in the module, or on
# their way in or out of a module; and the last lines before.
{
	sub(/^\[ *[0-9.]+\] /, "")
	sub(/\r$/, "")
}

/out of time, nearly/ {
	dumped = 1
	next
}

!dumped {
	last[n++ % 10] = $0
	next
}

/^task:/ {
	tell()
	task = "#   " $1 " " $2 "\n"
	next
}

# What an unwinder is not sure of has a question mark.
/^ [a-zA-Z_][^ ]*\+0x/ {
	task = task "#     " $1 ($2 == "" ? "" : " " $2) "\n"
	if ($0 ~ /\[kvm|gmem|ftrace|_module|synchronize_|userfault/)
		of_interest = 1
}

function tell()
{
	if (of_interest && told++ < 8)
		printf "%s", task
	of_interest = 0
}

END {
	tell()
	print "#   the last lines of the log:"
	for (i = n > 10 ? n - 10 : 0; i < n; i++)
		print "#     " last[i % 10]
}
