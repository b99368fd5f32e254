# SPDX-License-Identifier: GPL-2.0-only
# Boot a kernel in QEMU with a minimal initramfs. Needs common.sh and kernels.sh.

qemu=qemu-system-x86_64

# copy_modules DIR MODULE...: copy the modules and their dependencies; DIR/order lists them in the order of loading.
# What the kernel has built in, or lacks, is left out.
copy_modules()
{
	local dir=$1 m path
	shift
	for m; do
		modprobe -d "$kernel_root" -S "$kernel_release" --show-depends "$m" 2>/dev/null | grep ^insmod || true
	done | awk '!seen[$2]++ { print $2 }' | while read -r path; do
		m=$(basename "$path" | sed 's/\.ko.*/.ko/')
		kernel_module "$path" >"$dir/$m"
		echo "$m"
	done >"$dir/order"
}

# copy_program TO PROGRAM [ROOT]: copy a program of this machine, or of the root of another release, with the
# libraries that it needs.
copy_program()
{
	local lib path root=${3:-/}
	path=$(PATH=$root/usr/bin:$root/bin:$root/usr/sbin command -v "$2")
	cp "$path" "$1/bin/"
	chroot "$root" /lib64/ld-linux-x86-64.so.2 --list "${path#"$root"}" | grep -o '/[^ ]*' | while read -r lib; do
		mkdir -p "$1${lib%/*}"
		cp -L "$root$lib" "$1$lib"
	done
}

# initramfs FILE SCENARIO FILE...: make an archive with busybox, KVM for the kernel in use,
# the scenario, the files, and those programs of this machine, or of the root BOOT_PROGRAMS_ROOT, that BOOT_PROGRAMS
# lists.
initramfs()
{
	local out=$1 scenario=$2 root program
	shift 2
	root=$(mktemp -d)
	# Users other than root need access as well.
	chmod 755 "$root"
	mkdir -p "$root"/{bin,dev,proc,sys,tmp,modules,test}
	cp /bin/busybox "$root/bin/"
	"$root/bin/busybox" --install -s "$root/bin" 2>/dev/null
	find "$root/bin" -type l -exec ln -sfn busybox {} \;
	cp "$top/tests/guest/init" "$root/init"
	cp "$top/tests/guest/lib.sh" "$root/test/"
	cp "$top/tests/guest/$scenario.sh" "$root/test/scenario.sh"
	copy_modules "$root/modules" kvm-amd hwpoison-inject
	[ $# -eq 0 ] || cp "$@" "$root/test/"
	for program in ${BOOT_PROGRAMS:-}; do
		copy_program "$root" "$program" "${BOOT_PROGRAMS_ROOT:-}"
	done
	(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$out"
	rm -rf "$root"
}

# The kernel's own limits for CPUs and tasks that make no progress are raised as far as they go, because they count
# seconds in which this machine may do something else.
boot_parameters="console=ttyS0 panic=-1 panic_on_warn=1 oops=panic no_timer_check"
boot_parameters+=" rcupdate.rcu_cpu_stall_timeout=300 watchdog_thresh=60 sysctl.kernel.hung_task_timeout_secs=1800"

# How many seconds a boot may take beside what it was asked to take: ten to fifty times what it takes on an idle
# machine, so that a boot which is ended has hung.
boot_hung=3600

# boot INITRD CONSOLE [KERNEL PARAMETER...]: boot the kernel in use. What the guest writes to its second serial
# port goes to standard output, and its console goes to a file.
#
# QEMU runs all CPUs in one thread. With several threads, QEMU 10 still hits a stale int3 once in some hundred
# patches of the kernel's text, and KVM patches __schedule() whenever the first VM is created or the last one is
# destroyed. BOOT_THREADS=multi is for scenarios in which no text is patched while more than one CPU is online, and
# for measuring several CPUs at once.
#
# BOOT_SECONDS is the time that the guest was asked to take, if it was, which is added to the time limit. BOOT_LIMIT
# is the limit instead, for boots that may hang. BOOT_PATIENCE multiplies the limit, for slow kernels. BOOT_ICOUNT=N
# makes time a count of instructions of 2^N ns each. N=0 is for measuring; the larger N is, the fewer instructions a
# CPU runs before the next CPU has its turn. BOOT_CPUS and BOOT_MIB are the CPUs and the memory of each of the two
# nodes. BOOT_MOVABLE_MIB, a multiple of 128, adds node 2, which has no CPUs, and whose memory is hotplugged and all
# ZONE_MOVABLE, as CXL memory is. BOOT_OPTIONS are additional options of QEMU; if kernel_image is empty, they must
# also provide the kernel.
#
# There are two sockets, because the kernel warns about NUMA nodes that split a socket. no_timer_check is set, because
# that check mistakes a busy machine for a broken timer. A panic ends QEMU (-no-reboot, panic=-1), and so does
# the time limit.
boot()
{
	local initrd=$1 console=$2 qlog=$2.qemu cpus=${BOOT_CPUS:-2} mib=${BOOT_MIB:-1536} icount="" direct=()
	local tell="" plug="" movable=${BOOT_MOVABLE_MIB:-}
	boot_limit=$((${BOOT_LIMIT:-$((boot_hung + ${BOOT_SECONDS:-0}))} * ${BOOT_PATIENCE:-1}))
	shift 2
	# Where time is a count of instructions, the guest's clock does not follow this limit.
	[ -n "${BOOT_ICOUNT:-}" ] || tell=gmem_limit=$boot_limit
	[ -z "$movable" ] || {
		plug=",slots=1,maxmem=$((2 * mib + movable))M"
		plug+=" -object memory-backend-ram,size=${movable}M,id=m2 -numa node,nodeid=2"
		plug+=" -device pc-dimm,memdev=m2,node=2"
		tell+=" memhp_default_state=online_movable"
	}
	[ -z "$kernel_image" ] ||
		direct=(-kernel "$kernel_image" -initrd "$initrd" -append "$boot_parameters $tell $kernel_parameters $*")
	[ -z "${BOOT_ICOUNT:-}" ] || icount="-icount shift=$BOOT_ICOUNT,sleep=off"
	# shellcheck disable=SC2086 # lists of words
	timeout "$boot_limit" "$qemu" -accel "tcg,thread=${BOOT_THREADS:-single}" $icount \
		-cpu max,+svm -M q35 -nodefaults -display none -no-reboot \
		-smp "$((2 * cpus)),sockets=2,cores=$cpus" -m "$((2 * mib))M"$plug \
		-object "memory-backend-ram,size=${mib}M,id=m0" \
		-object "memory-backend-ram,size=${mib}M,id=m1" \
		-numa "node,memdev=m0,cpus=0-$((cpus - 1)),nodeid=0" \
		-numa "node,memdev=m1,cpus=$cpus-$((2 * cpus - 1)),nodeid=1" \
		-chardev stdio,id=results,signal=off \
		-serial "file:$console" -serial chardev:results \
		"${direct[@]}" ${BOOT_OPTIONS:-} \
		</dev/null 2>"$qlog"
}

# scenario TITLE INITRD [KERNEL PARAMETER...]: boot it and print TAP for prove.
#
# BOOT_EXPECTED is a regex of log lines that are harmless. Data races that KCSAN finds between functions of the
# kernel itself are ignored as well.
#
# The guest's results count only if its last line says how many results there are: after a panic or a hang, that
# line is missing.
scenario()
{
	local title=$1 initrd=$2 console status=0 boot_limit=0
	shift 2
	console=$cache/log/console-$kernel_name-$(basename "$initrd" .cpio.gz).log
	mkdir -p "$cache/log"
	: >"$console"
	{
		boot "$initrd" "$console" "$@" || status=$?
		echo "QEMU $status $boot_limit"
	} | tr -d '\r' | awk -v title="$title" -v console="$console" -v lib="$top/tests/lib" \
		-v expected="${BOOT_EXPECTED:-}" '
		/^(not )?ok - / {
			n++
			sub(/ok - /, "ok " n " - ")
			print; fflush()
			next
		}
		/^END [0-9]+$/ { end = $2; next }
		/^QEMU / { qemu = $2; limit = $3; next }
		/^#/ { print; fflush(); next }
		{ print "# " $0; fflush() }
		END {
			expected = expected == "" ? "^$" : expected
			complete = (end == n && n > 0)
			if (!complete)
				printf "# %d results arrived, the guest counted %s\n", n, end == "" ? "none" : end
			printf "%sok %d - %s: ran to its end\n", complete ? "" : "not ", ++n, title
			printf "%sok %d - %s: QEMU ended by itself\n", qemu == 0 ? "" : "not ", ++n, title
			if (qemu == 124)
				print "#   the limit of " limit " s was over; BOOT_PATIENCE=2 doubles it, should this machine be that slow"
			while ((getline line < console) > 0) {
				if (line ~ /BUG: KCSAN/ && line !~ /kvm_gmem_numa/)
					continue
				if (line !~ expected && line ~ /WARNING:|BUG:|Oops|Kernel panic|general protection|refcount_t|leaked|detected stall|blocked for more than/)
					bad[nbad++] = line
			}
			printf "%sok %d - %s: nothing bad in the kernel log\n", nbad ? "not " : "", ++n, title
			for (i = 0; i < nbad && i < 10; i++)
				print "#   " bad[i]
			if (nbad || !complete || qemu != 0)
				print "#   the console is in " console
			if (!complete)
				system("awk -f " lib "/stuck.awk " console)
			print "1.." n
		}'
}
