# SPDX-License-Identifier: GPL-2.0-only
# Our own tests of what the module promises. On a native kernel, the same.

programs="test_file test_memslot test_policy test_guest test_poison test_tsc test_teardown"
only=$(sed -n 's/.*gmem_only=\([^ ]*\).*/\1/p' /proc/cmdline | tr , ' ')

echo "# $(uname -r)"
if [ -e kvm-gmem-numa.ko ]; then
	tap ./probe absent
	ok "loads" load
fi

tap ./probe present
for p in ${only:-$programs}; do
	tap ./$p
done

if [ -e kvm-gmem-numa.ko ]; then
	ok "no inode is left" no_inodes
	ok "unloads" unload
	tap ./probe absent
fi
