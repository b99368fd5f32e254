# SPDX-License-Identifier: GPL-2.0-only
# kvm-gmem-numa-check: each of its verdicts, brought about.

check=./kvm-gmem-numa-check

# exits STATUS COMMAND...
exits()
{
	local want=$1
	shift
	"$@"
	set -- $?
	echo "exit status $1, not $want"
	[ $1 -eq $want ]
}

# verdict VERDICT COMMAND...: as a program reads it.
verdict()
{
	local want=$1
	shift
	"$@" --json
	"$@" --json | grep -q "^{\"verdict\": \"$want\", .*}\$"
}

# on_nodes NODES COMMAND...: with no other to have memory from.
on_nodes()
{
	mkdir -p /sys/fs/cgroup/some
	echo +cpuset >/sys/fs/cgroup/cgroup.subtree_control
	echo $1 >/sys/fs/cgroup/some/cpuset.mems
	shift
	sh -c 'echo $$ >/sys/fs/cgroup/some/cgroup.procs; exec "$@"' sh "$@"
}

# finds TEXT [COMMAND...]: a program passes, and reads that.
finds()
{
	local text=$1
	shift
	"$@" $check --json >/tmp/json
	set -- $?
	cat /tmp/json
	[ $1 -eq 0 ] && grep -qF "$text" /tmp/json
}

# says TEXT: a person is told.
says()
{
	$check | tee /tmp/said
	grep -qF "$1" /tmp/said
}

# kernel_has MEMORY NORMAL: nodes with memory, and with some that is not ZONE_MOVABLE.
kernel_has()
{
	grep . /sys/devices/system/node/has_*
	[ "$(cat /sys/devices/system/node/has_memory) $(cat /sys/devices/system/node/has_normal_memory)" = "$1 $2" ]
}

# partly_normal NODE: so is one block of its memory then.
partly_normal()
{
	set -- /sys/devices/system/node/node$1/memory[0-9]*
	echo offline >$1/state && echo online_kernel >$1/state
}

# Node 2 is all ZONE_MOVABLE. In the end it is not, which the kernel cannot always undo.
movable()
{
	ok "a node that is all ZONE_MOVABLE" kernel_has 0-2 0-1
	ok "it is named" says "node 2 is all ZONE_MOVABLE"
	ok "a program reads so, and that it was not tested" finds '"nodes": 2, "movable_nodes": [2]'
	ok "it has no part in interleaving" finds '{"policy": "interleave", "nodes": [0, 1]'
	ok "it is nothing to a process that may not use it" finds '"nodes": 2, "movable_nodes": []' on_nodes 0-1
	ok "it is all that a process may use: cannot be shown" exits 77 on_nodes 2 $check
	ok "a part of it becomes ZONE_NORMAL" partly_normal 2
	ok "so the node can hold guest memory" kernel_has 0-2 0-2
	ok "and is tested" finds '{"policy": "interleave", "nodes": [0, 1, 2]'
	ok "what is free in ZONE_MOVABLE is not taken for free" exits 77 $check --pages=24576
}

without_kvm()
{
	mv /dev/kvm /dev/kvm.away
	"$@"
	set -- $?
	mv /dev/kvm.away /dev/kvm
	return $1
}

if [ "$(parameter gmem_native)" = 1 ]; then
	ok "native: every page is as asked" exits 0 $check
	ok "native: a program reads the same" verdict pass $check
	movable
	return
fi

ok "without the module: nothing to test" exits 1 $check
ok "load" load
ok "with it: every page is as asked" exits 0 $check
ok "a program reads the same" verdict pass $check
echo N >$module/parameters/tsc_gate
ok "a gate that is off, and is reported so" exits 0 $check
echo Y >$module/parameters/tsc_gate
ok "one node: cannot be shown" exits 77 on_nodes 0 $check
ok "a node with too little memory: cannot be shown" exits 77 $check --pages=262144
movable
ok "no KVM: not run" exits 2 without_kvm $check
ok "an option that there is not" exits 2 $check --no-such-option
ok "nothing is left open" unload

ok "load one that misses the policy of all pages but the first" insmod ./missed-policy.ko
ok "it is noticed" exits 1 $check
ok "a program reads the same" verdict fail $check
ok "unload" unload
