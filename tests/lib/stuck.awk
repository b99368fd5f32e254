# SPDX-License-Identifier: GPL-2.0-only
# stuck.awk CONSOLE: for a boot that did not end by itself, so that the cause can be seen in the results alone: print
# the stacks, shortly before the time limit, of the tasks that were in KVM, in ftrace, in the module, or loading or
# unloading a module; and the last lines of the log before that.
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

# Stack entries that the unwinder is not sure of start with a question mark, and do not match.
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
