# SPDX-License-Identifier: GPL-2.0-only
# For scenarios, inside the booted kernel. Standard output is the result port.

results=/tmp/results
: >$results

module=/sys/module/kvm_gmem_numa

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

# ok TEXT COMMAND...: it succeeds.
ok()
{
	local text=$1
	shift
	"$@" >/tmp/out 2>&1
	set -- $?
	result $1 "$text"
	[ $1 -eq 0 ] || sed 's/^/#   /' /tmp/out
}

# nok TEXT COMMAND...: it fails.
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

# tap PROGRAM [ARGUMENT...]: relay its results, and count a crash as one more.
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

# end: say how many results there were, on the port that a panic cannot write to.
end()
{
	sync
	echo "END $(wc -l <$results)" >/dev/ttyS1
}

load()
{
	insmod ./kvm-gmem-numa.ko "$@"
}

unload()
{
	rmmod kvm_gmem_numa
}

loaded()
{
	[ -d $module ]
}

# dmesg_mark; then dmesg_says PATTERN looks at new lines only.
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

# No inode of the module is in use, but for the root of its file system. SLUB
# counts the free objects of a CPU's own slabs as used until the cache is shrunk.
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
