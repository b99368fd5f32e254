# SPDX-License-Identifier: GPL-2.0-only
# Print a table of the results of the scripts in tests/packages, from the points in their TAP that are called
# DISTRIBUTION | KERNEL | STEP. Fails if such a point failed, if a point with any other name failed, if a script
# broke off, or if there is no such point.

function row(verdict,	part)
{
	if (split($0, part, / \| /) != 3) {
		broken = broken || verdict == "FAILED"
		return
	}
	n++
	for (i = 1; i <= 3; i++) {
		cell[n, i] = part[i]
		if (length(part[i]) > width[i])
			width[i] = length(part[i])
	}
	cell[n, 4] = verdict
	counts[verdict]++
	sub(/ .*/, "", verdict)
	short[verdict]++
}

function line(a, b, c, d)
{
	printf "%-*s  %-*s  %-*s  %s\n", width[1], a, width[2], b, width[3], c, d
}

BEGIN {
	width[1] = length("distribution")
	width[2] = length("kernel")
}

/^(not )?ok [0-9]+ - / {
	verdict = /^not / ? "FAILED" : "passed"
	sub(/^(not )?ok [0-9]+ - /, "")
	if (match($0, / # SKIP /)) {
		verdict = "skipped " substr($0, RSTART + RLENGTH)
		$0 = substr($0, 1, RSTART - 1)
	}
	row(verdict)
}

# Lines that prove itself prints.
/^(Bail out|Parse errors|  Parse errors|  Non-zero exit status)/ { broken = 1 }

END {
	line("distribution", "kernel", "step", "verdict")
	for (i = 1; i <= n; i++)
		line(cell[i, 1], cell[i, 2], cell[i, 3], cell[i, 4])
	printf "\n%d passed, %d failed, %d skipped\n", short["passed"], short["FAILED"], short["skipped"]
	if (broken)
		print "and something broke off; see the log"
	exit n == 0 || short["FAILED"] > 0 || broken
}
