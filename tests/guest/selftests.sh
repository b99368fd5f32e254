# SPDX-License-Identifier: GPL-2.0-only
# Upstream's selftests of 6.12, which do not use the module: each ends alike without the module, with
# the module loaded, and while all of its redirects are attached.

situations="absent idle attached"
repeats=5

# Redirects for private memory are attached only where there is some.
[ ! -e private_mem.ko ] || insmod ./private_mem.ko

# --- where the tests run
# enter absent|idle|attached
enter()
{
	[ "$situation" != "$1" ] || return 0
	case $situation in
	attached) let_go ;;
	esac
	situation=$1
	case $1 in
	absent) ! loaded || unload ;;
	idle) loaded || load ;;
	attached)
		loaded || load
		hold_huge poison
		;;
	esac
	case $1 in
	absent) ! loaded && clean ;;
	# Each group is detached by itself, and while its text is restored, ftrace and the module may differ.
	idle) soon is_idle && soon as_reported ;;
	attached) ! has_idle && as_reported ;;
	esac
	[ $? -eq 0 ] || {
		result 1 "the module is $1"
		! loaded || sed 's/^/#   /' $module/features/redirects
	}
}

# soon COMMAND...: the command succeeds within ten seconds.
soon()
{
	for _ in $(seq 100); do
		"$@" && return
		sleep 0.1
	done
	return 1
}

# is_idle: nothing is attached that is attached on demand.
is_idle()
{
	! grep -qE '^(kvm_arch_free_memslot|.*max_mapping_level|kvm_gmem_get_pfn) attached$' $module/features/redirects
}

has_idle()
{
	grep -q ' idle$' $module/features/redirects
}

# before PROGRAM; after PROGRAM: set up, and undo, what the program's own script or documentation requires.
before()
{
	case $1 in
	max_guest_memory_test) echo 520 >/proc/sys/vm/nr_hugepages ;;
	nx_huge_pages_test)
		nx=$(cat $kvm/nx_huge_pages)
		nx_ratio=$(cat $kvm/nx_huge_pages_recovery_ratio)
		nx_period=$(cat $kvm/nx_huge_pages_recovery_period_ms)
		set_nx 1 1 100
		echo 3 >/proc/sys/vm/nr_hugepages
		;;
	esac
}

after()
{
	case $1 in
	max_guest_memory_test) echo 0 >/proc/sys/vm/nr_hugepages ;;
	nx_huge_pages_test)
		set_nx "$nx" "$nx_ratio" "$nx_period"
		echo 0 >/proc/sys/vm/nr_hugepages
		;;
	esac
}

kvm=/sys/module/kvm/parameters
set_nx()
{
	echo $1 >$kvm/nx_huge_pages
	echo $2 >$kvm/nx_huge_pages_recovery_ratio
	echo $3 >$kvm/nx_huge_pages_recovery_period_ms
}

# --- the result of a test
# run PROGRAM SECONDS [ARGUMENT...]: run the program, and write its result to the file $verdict.
run()
{
	local program=$1 seconds=$2 status group start
	shift 2
	before $program
	dmesg -c >/dev/null
	start=$(date +%s)
	setsid sh -c 'echo $$ >/tmp/group; exec timeout -s KILL "$@"' sh $seconds ./$program "$@" \
		>/tmp/test.out 2>&1 </dev/null 3<&- 4<&-
	status=$?
	# Some tests leave child processes behind when they are killed.
	kill -9 "-$(cat /tmp/group)" 2>/dev/null
	took=$(($(date +%s) - start))
	after $program
	dmesg -c >/tmp/test.dmesg
	judge $status >$verdict
}

# judge STATUS: print the result. The first line is a summary. The other lines must not differ either: each point of
# a test that has points, why the test was skipped, the assertion that failed and its errno, and what the kernel
# logged, with numbers replaced.
judge()
{
	case $1 in
	0) echo pass ;;
	4) echo skip ;;
	137) echo "does not end" ;;
	*) echo "fail ($1)" ;;
	esac
	awk '
		/^(not )?ok [0-9]/ { print; next }
		/Requirement not met|SKIP/ { print; next }
		/Test Assertion Failure/ { getline; print; getline; sub(/pid=[0-9]+ tid=[0-9]+ /, ""); print }
	' /tmp/test.out
	sed -e 's/^\[[^]]*\] //' -e "$noise" -e 's/0x[0-9a-f]*/N/g; s/[0-9][0-9]*/N/g' /tmp/test.dmesg |
		sort -u | sed 's/^/kernel: /'
}

# Log lines that say how long something took or that lines were suppressed, or that come once in a boot.
noise='/: interrupt took/d; /callbacks suppressed/d; /SMP vm created on host with unstable TSC/d'
noise="$noise; /instruction emulated as NOP/d"

# --- the comparison
# compare PROGRAM SECONDS [ARGUMENT...]: one point.
compare()
{
	local program=$1 s differ=
	for s in idle attached; do
		cmp -s /tmp/v/$program.absent /tmp/v/$program.$s || differ="$differ $s"
	done
	if [ -z "$differ" ]; then
		equal=$((equal + 1))
		result 0 "$program: $(head -n 1 /tmp/v/$program.absent) without the module, idle and attached"
		return
	fi
	if meant $program; then
		meant=$((meant + 1))
		result 0 "$program: differs in what the module is there for"
	elif unsteady "$@"; then
		unsteady=$((unsteady + 1))
		result 0 "$program: each of its verdicts comes without the module as well"
	else
		differs=$((differs + 1))
		result 1 "$program: the same without the module, idle and attached"
	fi
	for s in $situations; do
		sed "s/^/#   $s: /" /tmp/v/$program.$s
	done
}

# meant PROGRAM: the difference is intended. 6.12's own test of guest_memfd expects every flag to be refused, but the
# flags of 6.18 no longer are. Nothing else in that test may fail.
meant()
{
	local s
	[ $1 = guest_memfd_test ] && [ "$(cat /tmp/v/$1.absent)" = pass ] || return
	for s in idle attached; do
		[ "$(sed 's/:[0-9]*:/:/' /tmp/v/$1.$s | tr -s ' \n' ' ')" = \
			"fail (254) guest_memfd_test.c: fd == -1 && errno == EINVAL errno=22 - Invalid argument " ] || return
	done
}

# A test that depends on chance can end differently without the module as well. It is run again without the
# module, until it has shown each result that it had with the module, or has been repeated too often.
unsteady()
{
	local program=$1 i=0
	enter absent
	cp /tmp/v/$program.absent /tmp/again.0
	until seen idle && seen attached; do
		i=$((i + 1))
		[ $i -le $repeats ] || return 1
		verdict=/tmp/again.$i run "$@"
		echo "# $program again, without the module: $(head -n 1 /tmp/again.$i)"
	done
}

# seen SITUATION: one of the runs without the module had the same result as this situation.
seen()
{
	local f
	for f in /tmp/again.*; do
		cmp -s $f /tmp/v/$program.$1 && return
	done
	return 1
}

# --- all tests
# Run four tests, one after the other, in one situation, then in the next. Each block of four begins with another
# situation.
block()
{
	local s line
	for s in $situations; do
		enter $s
		while read -r line <&3; do
			verdict=/tmp/v/${line%% *}.$s run $line
			echo "# ${line%% *}, $s: $(head -n 1 /tmp/v/${line%% *}.$s), $took s"
		done 3</tmp/block
	done
	while read -r line <&3; do
		compare $line
		rm -f /tmp/again.*
	done 3</tmp/block
	: >/tmp/block
	set -- $situations
	situations="$2 $3 $1"
}

mkdir -p /tmp/v /dev/shm
mount -t tmpfs shm /dev/shm
situation=none
equal=0
unsteady=0
meant=0
differs=0
: >/tmp/block
while read -r line <&4; do
	echo "$line" >>/tmp/block
	[ "$(wc -l </tmp/block)" -lt 4 ] || block
done 4<selftests.list
[ ! -s /tmp/block ] || block
enter absent
for v in pass skip fail "does not end"; do
	echo "# without the module, $v: $(head -qn 1 /tmp/v/*.absent | grep -c "^$v")"
done
echo "# count selftests-equal $equal"
echo "# count selftests-unsteady $unsteady"
echo "# count selftests-meant-to-differ $meant"
echo "# count selftests-differ $differs"
