#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# For each line of the file faults, build the module with the fault and check that the named test notices it. The
# test must pass without the fault, so that a test which merely is too slow does not count as noticing it. Not part
# of `make check`; `make check-mutants` runs this script. MUTANTS=REGEX selects faults.
. "$(dirname "$0")/../lib/prove.sh"

# A fault is noticed if a test fails, or if the kernel crashes, hangs or warns. It hangs if it takes six times as long
# as without the fault, and two minutes more.
noticed()
{
	local name=$1 file=$2 script=$3 program=$4 out=$work/mutant-$1.tap
	build_variant "$work/mutant-$name.ko" "$file" "$script" >"$work/mutant-$name.log" 2>&1 || {
		tail -n 20 "$work/mutant-$name.log"
		return 1
	}
	mkdir -p "$work/mutant-$name"
	mv "$work/mutant-$name.ko" "$work/mutant-$name/kvm-gmem-numa.ko"
	BOOT_LIMIT=${limit[$program ${*:5}]} boot_program "$program" "$work/mutant-$name/kvm-gmem-numa.ko" "mutant-$name" "${@:5}" >"$out"
	grep -m 3 '^not ok' "$out"
}

# passes PROGRAM [KERNEL PARAMETER...]: the program passes with the unchanged module.
passes()
{
	boot_program "$1" "$ko" mutant-none "${@:2}" >"$work/mutant-none.tap"
	! grep -m 3 '^not ok' "$work/mutant-none.tap"
}

# Print those of the parameters that are CONFIG_ options which the kernel was not built with.
lacks_option()
{
	local p
	for p; do
		[[ $p != CONFIG_* ]] || grep -qx "$p" "$kernel_build/include/config/auto.conf" || echo "$p"
	done
}

declare -A passed limit
while IFS=$'\t' read -r name file script program parameters; do
	[[ $name =~ ^# || ! $name =~ ${MUTANTS:-.} ]] && continue
	# shellcheck disable=SC2086 # a list of parameters
	option=$(lacks_option $parameters)
	if [ -n "$option" ]; then
		count=$((count + 1))
		echo "ok $count - $program notices $name # SKIP a kernel without $option"
		continue
	fi
	if [ -z "${passed[$program $parameters]:-}" ]; then
		passed[$program $parameters]=tried
		start=$SECONDS
		# shellcheck disable=SC2086 # a list of parameters
		check "$program passes without a fault${parameters:+, $parameters}" passes "$program" $parameters
		limit[$program $parameters]=$((120 + 6 * (SECONDS - start)))
	fi
	count=$((count + 1))
	# shellcheck disable=SC2086 # a list of parameters
	if out=$(noticed "$name" "$file" "$script" "$program" $parameters); then
		echo "ok $count - $program notices $name"
	else
		echo "not ok $count - $program notices $name"
	fi
	printf '%s\n' "$out" | sed 's/^/#   /'
done <"$top/tests/mutation/faults"
plan
