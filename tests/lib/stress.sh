# SPDX-License-Identifier: GPL-2.0-only
# What `make check-stress` runs, and the figures that it prints. Needs common.sh, table.sh,
# debug.sh and what runs the tests.
#
# All of it takes hours, so it can be run in parts: a run replaces its own row in the document, and the
# other rows stay, with their date and commit.

stress=$cache/stress

# stress_runs: print name, kernel, scripts and environment of each run. STRESS_MINUTES is the time of each race and
# each fuzzer, STRESS_CYCLES the number of times that the module is loaded.
stress_runs()
{
	local s=$((60 * ${STRESS_MINUTES:-5}))
	cat <<-EOF
		suite|$first|t/1[01]-* t/2[01]-* t/27-*|
		suite, 2 MiB|$first|t/1[01]-*|HUGE=always
		fuzzer|$first|t/23-fuzz.t|FUZZ_SECONDS=$s
		fuzzer, 2 MiB|$first|t/23-fuzz-huge.t|FUZZ_SECONDS=$s
		races|$first|t/22-* t/24-*|STORM_SECONDS=$s RACE_SECONDS=$s
		selftests|$first|t/32-* t/33-*|SELFTESTS=. SELFTESTS_BOOTS=$(nproc)
		load cycles|$first|t/23-cycles.t|CYCLES=${STRESS_CYCLES:-1000}
		suite, KASAN|kasan|t/1[01]-* t/20-*|
		suite, KASAN, 2 MiB|kasan|t/1[01]-*|HUGE=always
		fault points, KASAN|kasan|t/70-*|
		fault points, KASAN, 2 MiB|kasan|t/70-*|HUGE=always
		fuzzer, KASAN|kasan|t/23-fuzz.t|FUZZ_SECONDS=$s
		fuzzer, KASAN, 2 MiB|kasan|t/23-fuzz-huge.t|FUZZ_SECONDS=$s
		races, KASAN|kasan|t/22-* t/24-races.t|HUGE=never STORM_SECONDS=$s RACE_SECONDS=$s
		races, KASAN, 2 MiB|kasan|t/22-* t/24-races.t|HUGE=always STORM_SECONDS=$s RACE_SECONDS=$s
		races, KCSAN|kcsan|t/22-* t/24-races.t|STORM_SECONDS=$s RACE_SECONDS=$s
	EOF
}

# stress_kernel KERNEL: print the argument for kernel_use.
stress_kernel()
{
	case $1 in
	kasan | kcsan) echo "$(debug_kernel "$1")/build" ;;
	*) echo "$1" ;;
	esac
}

# stress_prepare KERNEL...: build each debug kernel, and the module for each kernel.
stress_prepare()
{
	local k
	for k; do
		case $k in
		kasan | kcsan) step "$k kernel (10 minutes on two CPUs, if it is new)" build_debug_kernel "$k" ;;
		esac
		(set -e; prepare_kernel "$(stress_kernel "$k")")
	done
}

# stress_tree: print the commit, if there is a repository.
stress_tree()
{
	git -C "$top" rev-parse --short=7 HEAD 2>/dev/null | sed 's/.*/, &/'
}

# stress_run NAME KERNEL SCRIPTS ENVIRONMENT: run the scripts, and add a row to the table.
stress_run()
{
	local name=$1 log start=$SECONDS passed failed skipped patience=${BOOT_PATIENCE:-1}
	log=$cache/log/stress-$(printf '%s' "$name" | tr -cs 'a-zA-Z0-9' -).tap
	[ "$2" = "$first" ] || patience=$((8 * patience))
	kernel_use "$(stress_kernel "$2")"
	say ""
	say "$name, on $kernel_release:"
	cd "$top/tests"
	# shellcheck disable=SC2086 # lists of words
	env $4 GMEM_KERNEL="$(stress_kernel "$2")" BOOT_PATIENCE=$patience \
		prove --merge --verbose --timer --jobs "$(nproc)" $3 >"$log" 2>&1 || true
	cd "$top"
	count_points "$log"
	# A script that could not even start is a failure as well.
	[ "$failed" -gt 0 ] || grep -qx 'Result: PASS' "$log" || failed=1
	printf '| %s | %s | %s | %s | %s | %s | %s | %s |\n' "$name" "$kernel_release" "$(date +%Y-%m-%d)$(stress_tree)" \
		"$passed" "$failed" "$skipped" $(((SECONDS - start + 59) / 60)) \
		"$(sed -n 's/^# count \(.*\) \([0-9]*\)$/\2 \1/p' "$log" | tr - ' ' | sums_by_name)" >>"$stress.rows"
	tail -n 1 "$stress.rows" >&2
	say_failures "$log"
}

# sums_by_name: read lines "NUMBER WORDS", and print the sum for each WORDS, all in one line.
sums_by_name()
{
	awk '{ n = $1; sub(/^[0-9]+ /, ""); sum[$0] += n } END { for (what in sum) print sum[what], what }' |
		sort -k 2 | paste -sd , | sed 's/,/, /g'
}

# stress_table DOCUMENT: print the new rows, and the document's rows of all other runs.
stress_table()
{
	local name row
	cat <<-'EOF'
		| run | kernel | on | passed | failed | skipped | minutes | counted |
		| --- | --- | --- | --- | --- | --- | --- | --- |
	EOF
	stress_runs | cut -d '|' -f 1 | while read -r name; do
		row=$(cat "$1" "$stress.rows" | grep "^| $name | " | tail -n 1) || row="| $name | not run | | | | | | |"
		echo "$row"
	done >"$stress.all"
	cat "$stress.all"
	printf '\nAll together: %s.\n' "$(stress_sums "$stress.all")"
}

# stress_sums ROWS: print what was counted in all runs, and how many points failed.
stress_sums()
{
	awk -F ' *[|] *' '$6 ~ /[0-9]/ {
		print $6, "failed"
		n = split($9, sums, ", ")
		while (n)
			print sums[n--]
	}' "$1" | sums_by_name
}
