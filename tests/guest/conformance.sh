# SPDX-License-Identifier: GPL-2.0-only
# Our own tests of what the module promises. The same tests run on a native kernel, without the module or with
# it, in which case it does nothing.

programs="test_readme test_file test_memslot test_policy test_cpuset test_guest test_pressure test_signal test_hotplug
	test_huge test_poison test_tsc test_teardown test_cve test_unprivileged test_private"
only=$(parameter gmem_only | tr , ' ')

echo "# $(uname -r)"
leaks_begin
[ ! -e private_mem.ko ] || ok "VMs can have private memory" insmod ./private_mem.ko
if [ -e kvm-gmem-numa.ko ]; then
	survey /tmp/before
	./private_vm >/tmp/private.before
	protected_tsc
	ok "loads" load
	ok "features are as this kernel allows" states_expected
	states_true /tmp/before
	tell
	ok "what is redirected is what it says" as_reported
	protected_tsc
	if [ -s /tmp/private.before ]; then
		./private_vm >/tmp/private.loaded
		ok "ioctls on VMs with private memory return the same as without the module" \
			diff /tmp/private.before /tmp/private.loaded
	fi
	if [ "$(state guest_memfd)" = unavailable ]; then
		echo "# guest_memfd is $(cat $module/features/guest_memfd)"
		programs=test_tsc
		tap ./probe tsc
	else
		tap ./probe present
	fi
else
	tap ./probe present
fi

for p in ${only:-$programs}; do
	tap ./$p
done

if [ -e kvm-gmem-numa.ko ]; then
	[ "$(state guest_memfd)" != active ] || ok "no inode is left" no_inodes
	ok "unloads" unload
	ok "nothing is left" clean
	survey /tmp/after
	ok "what worked before works, and nothing else" cmp /tmp/before /tmp/after
fi
[ ! -e private_mem.ko ] || ok "private memory can go again" rmmod private_mem
[ ! -e $kmemleak ] || ok "kmemleak finds nothing" no_leaks
