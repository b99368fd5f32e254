# SPDX-License-Identifier: GPL-2.0-only
# kvm-gmem-numa-check: bring about each of its verdicts.

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

# verdict VERDICT COMMAND...: the JSON output has this verdict.
verdict()
{
	local want=$1
	shift
	"$@" --json
	"$@" --json | grep -q "^{\"verdict\": \"$want\", .*}\$"
}

# on_nodes NODES COMMAND...: run the command in a cpuset that has only these nodes.
on_nodes()
{
	mkdir -p /sys/fs/cgroup/some
	echo +cpuset >/sys/fs/cgroup/cgroup.subtree_control
	echo $1 >/sys/fs/cgroup/some/cpuset.mems
	shift
	sh -c 'echo $$ >/sys/fs/cgroup/some/cgroup.procs; exec "$@"' sh "$@"
}

# finds TEXT [COMMAND...]: the check, run by the command if one is given, passes, and its JSON output has the text.
finds()
{
	local text=$1
	shift
	"$@" $check --json >/tmp/json
	set -- $?
	cat /tmp/json
	[ $1 -eq 0 ] && grep -qF "$text" /tmp/json
}

# says TEXT: the output for people has the text.
says()
{
	$check | tee /tmp/said
	grep -qF "$1" /tmp/said
}

# kernel_has MEMORY NORMAL: the nodes that have memory, and those that have memory outside ZONE_MOVABLE.
kernel_has()
{
	grep . /sys/devices/system/node/has_*
	[ "$(cat /sys/devices/system/node/has_memory) $(cat /sys/devices/system/node/has_normal_memory)" = "$1 $2" ]
}

# partly_normal NODE: make one block of the node's memory ZONE_NORMAL.
partly_normal()
{
	set -- /sys/devices/system/node/node$1/memory[0-9]*
	echo offline >$1/state && echo online_kernel >$1/state
}

# Node 2 starts as all ZONE_MOVABLE. Afterwards it is not, and the kernel cannot always undo that.
movable()
{
	ok "node 2 is all ZONE_MOVABLE" kernel_has 0-2 0-1
	ok "movable node: the output names it" says "node 2 is all ZONE_MOVABLE"
	ok "movable node: JSON names it, and it was not tested" finds '"nodes": 2, "movable_nodes": [2]'
	ok "movable node: interleaving does not include it" finds '{"policy": "interleave", "nodes": [0, 1]'
	ok "movable node: hidden if the process may not use it" finds '"nodes": 2, "movable_nodes": []' on_nodes 0-1
	ok "movable node: a process that may use no other node: cannot be shown" exits 77 on_nodes 2 $check
	ok "a part of node 2 becomes ZONE_NORMAL" partly_normal 2
	ok "node 2 can then hold guest memory" kernel_has 0-2 0-2
	ok "node 2 is then tested" finds '{"policy": "interleave", "nodes": [0, 1, 2]'
	ok "free memory in ZONE_MOVABLE does not count as free" exits 77 $check --pages=24576
}

without_kvm()
{
	mv /dev/kvm /dev/kvm.away
	"$@"
	set -- $?
	mv /dev/kvm.away /dev/kvm
	return $1
}

# private: private memory is placed with the module, and by no kernel alone.
private()
{
	ok "private memory: cannot be shown where there are no such VMs" exits 77 $check --private
	sw_protected
	ok "private memory: without the module, it is not where it was asked for" exits 1 $check --private
	ok "load" load
	ok "private memory: with the module, it is where it was asked for" exits 0 $check --private
	ok "private memory: JSON says so" finds '"private_policy": {"reported": "active", "works": true}' with_private
	echo N >$module/parameters/private_policy
	ok "private_policy=N: it is not" exits 1 $check --private
	ok "unload" unload
	rmmod sw_protected
}

# with_private COMMAND ARGUMENT: the check, for private memory.
with_private()
{
	"$@" --private
}

if [ "$(parameter gmem_native)" = 1 ]; then
	ok "native: every page is on the node that was asked for" exits 0 $check
	ok "native: JSON says the same" verdict pass $check
	private
	movable
	return
fi

private
ok "without the module: nothing to test" exits 1 $check
ok "load" load
ok "with the module: every page is on the node that was asked for" exits 0 $check
ok "with the module: JSON says the same" verdict pass $check
echo N >$module/parameters/tsc_gate
ok "the TSC gate is off, and is reported as off" exits 0 $check
echo Y >$module/parameters/tsc_gate
ok "one node: cannot be shown" exits 77 on_nodes 0 $check
ok "a node with too little memory: cannot be shown" exits 77 $check --pages=262144
movable
ok "no KVM: not run" exits 2 without_kvm $check
ok "an unknown option: not run" exits 2 $check --no-such-option
ok "nothing is left open: unload" unload

ok "load a module that misses the policy of every page except the first" insmod ./missed-policy.ko
ok "missed policy: the check fails" exits 1 $check
ok "missed policy: JSON says the same" verdict fail $check
ok "unload" unload
