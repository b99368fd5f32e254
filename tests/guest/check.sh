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

# on_node_0 COMMAND...: with no other to have memory from.
on_node_0()
{
	mkdir -p /sys/fs/cgroup/one
	echo +cpuset >/sys/fs/cgroup/cgroup.subtree_control
	echo 0 >/sys/fs/cgroup/one/cpuset.mems
	sh -c 'echo $$ >/sys/fs/cgroup/one/cgroup.procs; exec "$@"' sh "$@"
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
	return
fi

ok "without the module: nothing to test" exits 1 $check
ok "load" load
ok "with it: every page is as asked" exits 0 $check
ok "a program reads the same" verdict pass $check
echo N >$module/parameters/tsc_gate
ok "a gate that is off, and is reported so" exits 0 $check
echo Y >$module/parameters/tsc_gate
ok "one node: cannot be shown" exits 77 on_node_0 $check
ok "a node with too little memory: cannot be shown" exits 77 $check --pages=262144
ok "no KVM: not run" exits 2 without_kvm $check
ok "an option that there is not" exits 2 $check --no-such-option
ok "nothing is left open" unload

ok "load one that misses the policy of all pages but the first" insmod ./missed-policy.ko
ok "it is noticed" exits 1 $check
ok "a program reads the same" verdict fail $check
ok "unload" unload
