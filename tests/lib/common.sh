# SPDX-License-Identifier: GPL-2.0-only
# Common start of all scripts here, to be sourced.

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# Downloads and builds, outside the tree. Safe to delete at any time.
cache=${GMEM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kvm-gmem-numa}
mkdir -p "$cache"

say()
{
	printf '%s\n' "$*" >&2
}

die()
{
	say "error: $*"
	exit 1
}

# at_commit: print the commit that figures are found at.
at_commit()
{
	git -C "$top" describe --always --dirty --exclude '*' 2>/dev/null || echo unknown
}

# step TEXT COMMAND...: run the command with its output in a log, and show the log if the command fails.
# The command runs in the background, because bash ignores set -e in commands that are part of a condition:
# a function would continue after one of its commands failed. Variables that the command sets are lost.
step()
{
	local text=$1 log start=$SECONDS
	shift
	log=$cache/log/$(printf '%s' "$text" | tr -cs 'a-zA-Z0-9.' '-').log
	mkdir -p "$cache/log"
	printf '%-66s' "  $text" >&2
	"$@" >"$log" 2>&1 </dev/null &
	if wait $!; then
		say "$((SECONDS - start)) s"
	else
		say "FAILED"
		# Where one line says why, what make adds to it does not help.
		grep -E '^(error|kvm-gmem-numa): ' "$log" >&2 || tail -n 30 "$log" >&2
		die "$text; the whole log is $log"
	fi
}
