# SPDX-License-Identifier: GPL-2.0-only
# Speed, counted in instructions: with QEMU's icount, a nanosecond of the guest is an
# instruction, so that figures repeat on any machine. Needs common.sh, kernels.sh, boot.sh.

bench=$cache/bench

bench_native=trixie-backports-7.3

# bench_boot NAME KERNEL MODULE|- SECTIONS [KERNEL PARAMETER...]: boot it and write the figures to
# $bench/NAME.
bench_boot()
{
	local name=$1 ko=$3 sections=$4 files=("$cache/work/programs/bench") out=$bench/$1.out end
	kernel_use "$2"
	shift 4
	[ "$ko" = - ] || files+=("$ko")
	[[ ,$sections, != *,sw_protected,* ]] || files+=("$cache/work/$kernel_name/module/sw_protected.ko")
	mkdir -p "$bench"
	initramfs "$bench/$name.cpio.gz" bench "${files[@]}"
	rm -f "$bench/$name"
	boot "$bench/$name.cpio.gz" "$cache/log/console-bench-$name.log" "sections=$sections" "$@" |
		tr -d '\r' >"$out" || true
	rm "$bench/$name.cpio.gz"
	end=$(sed -n 's/^END //p' "$out")
	if [ "$(grep -c '^ok ' "$out")" != "${end:-none}" ]; then
		cat "$out"
		say "the console is $cache/log/console-bench-$name.log"
		return 1
	fi
	{
		echo "release $kernel_release"
		grep -E '^(figure|profile) ' "$out"
	} >"$bench/$name"
}

# bench_counted ARGUMENTS OF bench_boot: a boot in which a nanosecond is an instruction.
bench_counted()
{
	local start=$SECONDS
	BOOT_ICOUNT=0 BOOT_CPUS=1 BOOT_SECONDS=7200 bench_boot "$@" || return
	say "  $(printf '%-16s %5d' "$1" $((SECONDS - start))) s   $4${5:+, $5}"
}

# bench_together "ARGUMENTS OF bench_counted"...: run as many boots at a time as there are CPUs.
bench_together()
{
	local line bad=0 pids=()
	for line; do
		while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
			wait -n || bad=1
		done
		# shellcheck disable=SC2086 # a list of words
		bench_counted $line &
		pids+=($!)
	done
	for line in "${pids[@]}"; do
		wait "$line" || bad=1
	done
	return $bad
}

# The module for the native kernel, which places private memory there.
bench_native_module()
{
	echo "$cache/work/$bench_native/module/kvm-gmem-numa.ko"
}

# bench_quick KERNEL MODULE: the boots that are short enough for `make check`.
bench_quick()
{
	bench_together \
		"ours $1 $2 load,pages:bind,sw_protected,private:mapping" \
		"ours-huge $1 $2 load,huge:bind gmem_huge=always" \
		"native $bench_native - pages:bind,sw_protected,private:task" \
		"native-ours $bench_native $(bench_native_module) load,sw_protected,private:mapping" \
		"plain $1 - pages:bind,sw_protected,private:task,huge:bind"
}

# bench_all KERNEL MODULE
bench_all()
{
	local huge=huge:bind,huge:none
	local profiles=profile:guest-first-touch,profile:host-first-touch,profile:fallocate,profile:punch-hole
	bench_together \
		"ours $1 $2 load,pages,calls,bystander,module,growth,$huge,tables,sw_protected,private:mapping" \
		"ours-huge $1 $2 load,$huge,tables,bystander gmem_huge=always" \
		"native $bench_native - pages,calls,growth,$huge,sw_protected,private:task" \
		"native-ours $bench_native $(bench_native_module) load,sw_protected,private:mapping" \
		"plain $1 - pages,calls,bystander,growth,$huge,tables,sw_protected,private:task" \
		"ours-no-init $1 $2 load,pages:bind init_on_alloc=0" \
		"native-no-init $bench_native - pages:bind init_on_alloc=0" || return
	BOOT_PROGRAMS=perf bench_together \
		"ours-profile $1 $2 load,$profiles" \
		"native-profile $bench_native - $profiles" || return
	# This boot runs alone, because it measures wall-clock time.
	BOOT_THREADS=multi BOOT_CPUS=4 bench_boot parallel "$1" "$2" load,parallel
}

bench_boots="ours ours-huge native native-ours plain ours-no-init native-no-init ours-profile native-profile parallel"

# bench_report WHAT [BOOT...]: see bench-report.awk.
bench_report()
{
	local what=$1
	shift
	# shellcheck disable=SC2086 # a list of words
	[ $# -gt 0 ] || set -- $bench_boots
	# Before the first document is written.
	: "${bench_commit:=$(at_commit)}"
	(cd "$bench" && awk -v what="$what" -v commit="$bench_commit" -f "$top/tests/lib/bench-report.awk" "$@")
}

# Between marks in the documents; and what the tables are made of, and a plot.
bench_document()
{
	bench_fill "$top/README.md"
	bench_fill "$top/docs/performance.md"
	{
		echo "boot,section,operation,backend,policy,n,instructions"
		# shellcheck disable=SC2086 # a list of words
		(cd "$bench" && awk '/^figure/ { print FILENAME "," $2 "," $3 "," $4 "," $5 "," $6 "," $7 }' $bench_boots)
	} >"$top/docs/performance.csv"
	bench_report plot >"$bench/plot"
	gnuplot -e "data='$bench/plot'; out='$top/docs/performance.png'" "$top/tests/lib/bench.gnuplot"
}

# bench_fill FILE
bench_fill()
{
	local doc=$1 what
	awk '/^<!-- end of bench/ { skip = 0 } !skip; /^<!-- bench: / { skip = 1 }' "$doc" >"$bench/doc"
	for what in $(sed -n 's/^<!-- bench: \(.*\) -->$/\1/p' "$doc"); do
		bench_report "$what" >"$bench/table.$what" || true
	done
	awk -v dir="$bench" '
		{ print }
		/^<!-- bench: / { print ""; file = dir "/table." $3; while ((getline line < file) > 0) print line }' \
		"$bench/doc" | cat -s >"$doc"
}
