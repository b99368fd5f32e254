# SPDX-License-Identifier: GPL-2.0-only
# Functions for scenarios inside the booted kernel. Standard output is the result port.

results=/tmp/results
: >$results

module=/sys/module/kvm_gmem_numa
features="guest_memfd huge_mappings private_policy tsc_vm_gate tsc_vcpu_gate"
functions=/sys/kernel/tracing/enabled_functions

# result STATUS TEXT
result()
{
	if [ "$1" -eq 0 ]; then
		echo "ok - $2"
	else
		echo "not ok - $2"
	fi
	echo >>$results
}

# ok TEXT COMMAND...: the command succeeds.
ok()
{
	local text=$1
	shift
	"$@" >/tmp/out 2>&1
	set -- $?
	result $1 "$text"
	[ $1 -eq 0 ] || sed 's/^/#   /' /tmp/out
}

# nok TEXT COMMAND...: the command fails.
nok()
{
	local text=$1
	shift
	if "$@" >/tmp/out 2>&1; then
		result 1 "$text"
		sed 's/^/#   /' /tmp/out
	else
		result 0 "$text"
	fi
}

# tap PROGRAM [ARGUMENT...]: relay the program's results, and add a result that fails if it crashed.
tap()
{
	local status
	echo "# $*"
	{
		"$@"
		echo "STATUS $?"
	} 2>&1 | while read -r line; do
		case $line in
		"ok - "* | "not ok - "*)
			echo "$line"
			echo >>$results
			;;
		"STATUS "*)
			echo "${line#STATUS }" >/tmp/status
			;;
		*)
			echo "# ${line#\# }"
			;;
		esac
	done
	status=$(cat /tmp/status)
	[ "$status" -le 1 ]
	result $? "${1##*/} ended by itself (status $status)"
}

# end: write the number of results to the result port, to which a panic does not write.
end()
{
	sync
	echo "END $(wc -l <$results)" >/dev/ttyS1
}

# load [PARAMETER=VALUE...]: load the module, with idle redirects detached after a second instead of a minute, and with
# the huge folios that the kernel's command line asks for.
load()
{
	local huge
	huge=$(parameter gmem_huge)
	insmod ./kvm-gmem-numa.ko detach_delay=1 ${huge:+huge=$huge} "$@"
}

unload()
{
	rmmod kvm_gmem_numa
}

# unload_soon: unload, with retries, because unloading is refused while a VM is setting a memslot.
unload_soon()
{
	for _ in $(seq 600); do
		unload 2>/dev/null && return
		sleep 0.1
	done
	unload
}

loaded()
{
	[ -d $module ]
}

# background FILE COMMAND...: start the command, and wait until it has written "ready" to the file; $! is its process.
# The file is removed first, because a previous command's "ready" could be read before the new command empties the file.
background()
{
	local file=$1
	shift
	rm -f $file
	"$@" >$file 2>&1 &
	until grep -qs ready $file; do
		kill -0 $! 2>/dev/null || {
			result 1 "$*: runs until it is killed"
			sed 's/^/#   /' $file
			return 1
		}
		sleep 0.1
	done
}

# held COMMAND...; let_go: the command runs in between.
held()
{
	background /tmp/hold "$@"
	set -- $?
	holder=$!
	return $1
}

# hold WHAT; let_go: see programs/hold.c.
hold()
{
	held ./hold $1
}

# hold_huge WHAT; let_go: the same with a file that can have folios of 2 MiB.
hold_huge()
{
	local was
	was=$(cat $module/parameters/huge)
	echo always >$module/parameters/huge
	hold $1
	echo $was >$module/parameters/huge
}

let_go()
{
	kill $holder
	wait $holder 2>/dev/null
}

# parameter NAME: print the parameter's value from the kernel's command line.
parameter()
{
	sed -n "s/.*\b$1=\([^ ]*\).*/\1/p" /proc/cmdline
}

# state FEATURE: print active, native, unavailable or off.
state()
{
	sed 's/:.*//' $module/features/$1
}

# possible FEATURE: the state, or active if only a parameter is against it.
possible()
{
	state $1 | sed 's/off/active/'
}

# states_expected: the states of the features are those on the kernel's command line, if it has any.
states_expected()
{
	local want
	want=$(parameter gmem_expect)
	grep . $module/features/*
	[ -z "$want" ] || [ "$want" = "$(for f in $features; do possible $f; done | paste -sd ,)" ]
}

# survey FILE: write what works right now, whether the kernel or the module provides it.
survey()
{
	./probe list >$1
}

# told_truly FEATURE SURVEY LINE: the feature's state is native if the survey from before the module was
# loaded has the line, and only then.
told_truly()
{
	if grep -qx "$3" $2; then
		[ "$(state $1)" = native ]
	else
		[ "$(state $1)" != native ]
	fi
}

# tell: print what lib/table.sh needs for the table of kernels.
tell()
{
	local f
	for f in $features; do
		echo "# found $f: $(possible $f)"
	done
	echo "# found redirects: $(wc -l <$module/features/redirects)"
}

# states_true SURVEY
states_true()
{
	ok "guest_memfd is native if it was there before, and only then" \
		told_truly guest_memfd $1 "its policy outlives the mapping"
	ok "the TSC gate of VMs is native if it was there before, and only then" \
		told_truly tsc_vm_gate $1 "KVM_SET_TSC_KHZ is refused once a vCPU exists"
}

# sw_protected: let KVM have software-protected VMs, whose guests run on private memory. Kernels that have them already
# refuse the helper.
sw_protected()
{
	[ ! -e sw_protected.ko ] || insmod ./sw_protected.ko 2>/dev/null || true
}

# protected_tsc: KVM_SET_TSC_KHZ on a vCPU with a protected TSC is refused if the gate is there.
protected_tsc()
{
	[ -e protect_tsc.ko ] || return 0
	[ -d /sys/module/protect_tsc ] || insmod ./protect_tsc.ko
	if loaded && [ "$(state tsc_vcpu_gate)" != unavailable ]; then
		tap ./tsc_protected refused
	elif grep -qx "KVM_SET_TSC_KHZ is refused once a vCPU exists" /tmp/before; then
		tap ./tsc_protected refused
	else
		tap ./tsc_protected accepted
	fi
}

# as_reported: the functions that ftrace redirects are those that the module reports, no more and no less.
as_reported()
{
	sed 's/ .*//' $functions | sort >/tmp/redirected
	sed -n 's/ attached$//p' $module/features/redirects | sort >/tmp/reported
	cmp /tmp/redirected /tmp/reported || {
		cat /tmp/redirected
		echo reported:
		cat /tmp/reported
		return 1
	}
}

# clean: nothing of the module is left.
clean()
{
	[ ! -s $functions ] && [ ! -s /sys/kernel/debug/kprobes/list ] &&
		[ ! -d /sys/kernel/slab/kvm_gmem_numa_inode ] || {
		cat $functions /sys/kernel/debug/kprobes/list
		ls -d /sys/kernel/slab/kvm_gmem*
		return 1
	}
}

# dmesg_mark; dmesg_says PATTERN: after dmesg_mark, only new lines are searched.
dmesg_mark()
{
	dmesg | wc -l >/tmp/dmesg_mark
}

dmesg_new()
{
	dmesg | tail -n +$(($(cat /tmp/dmesg_mark) + 1))
}

dmesg_says()
{
	dmesg_new | grep -q "$1" || {
		dmesg_new
		return 1
	}
}

# leaks_begin; no_leaks [REGEX]: everything that was allocated in between and not freed is still referenced. For
# kernels with kmemleak, which does not report anything younger than 5 s as a leak. Leaks whose report matches the
# regex are not the module's, and are ignored.
kmemleak=/sys/kernel/debug/kmemleak

leaks_begin()
{
	[ ! -e $kmemleak ] || echo clear >$kmemleak
}

no_leaks()
{
	sleep 6
	echo scan >$kmemleak
	echo scan >$kmemleak
	awk -v ignore="${1:-^$}" '
		/^unreferenced/ { report(); text = "" }
		{ text = text $0 "\n" }
		function report() { if (text != "" && text !~ ignore) { printf "%s", text; leaks++ } }
		END { report(); exit leaks > 0 }' $kmemleak
}

# No inode of the module is in use, except the root of its file system. SLUB counts the
# free objects of a CPU's own slabs as used until the cache is shrunk.
no_inodes()
{
	local slab=/sys/kernel/slab/kvm_gmem_numa_inode
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		echo 1 >$slab/shrink
		case $(cat $slab/objects) in
		1 | "1 "*) return 0 ;;
		esac
		sleep 0.2
	done
	cat $slab/objects
	return 1
}
