# SPDX-License-Identifier: GPL-2.0-only
# How scripts speak TAP. Needs nothing.

count=0

# check TEXT COMMAND...: one test point: it succeeds; its output is shown if not.
check()
{
	local text=$1 out
	shift
	count=$((count + 1))
	if out=$("$@" 2>&1); then
		echo "ok $count - $text"
	else
		echo "not ok $count - $text"
		printf '%s\n' "$out" | head -n 40 | sed 's/^/#   /'
	fi
}

# silent TEXT COMMAND...: one test point: it prints nothing.
silent()
{
	local text=$1
	shift
	check "$text" prints_nothing "$@"
}

prints_nothing()
{
	local out
	out=$("$@" 2>&1) || true
	printf '%s' "$out"
	[ -z "$out" ]
}

plan()
{
	echo "1..$count"
}
