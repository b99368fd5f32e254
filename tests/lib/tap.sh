# SPDX-License-Identifier: GPL-2.0-only
# TAP output of the scripts. Needs nothing.

count=0

# check TEXT COMMAND...: one test point: the command succeeds. If it fails, its output is shown.
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

# silent TEXT COMMAND...: one test point: the command prints nothing.
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
