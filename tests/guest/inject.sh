# SPDX-License-Identifier: GPL-2.0-only
# Each allocation fails in turn. For kernels with CONFIG_FAULT_INJECTION.

leaks_begin
[ ! -e private_mem.ko ] || ok "VMs can have private memory" insmod ./private_mem.ko
ok "loads" load
tap ./inject calls
ok "files can have folios of 2 MiB" sh -c "echo always >$module/parameters/huge"
tap ./inject huge
tap ./inject_private
ok "no inode is left" no_inodes
ok "unloads" unload
ok "nothing is left" clean
[ ! -e private_mem.ko ] || ok "private memory can go again" rmmod private_mem
[ ! -e $kmemleak ] || ok "kmemleak finds nothing" no_leaks
# The kernel's module loader only warns when it has no memory for jump labels, and goes on.
echo 0 >/proc/sys/kernel/panic_on_warn
tap ./inject load ./kvm-gmem-numa.ko "$(parameter inject_stride)"
ok "nothing is left of any load" clean
# If the sysfs directory of a slab cache cannot be created, the kernel leaks the cache's name.
[ ! -e $kmemleak ] || ok "kmemleak finds nothing of a load" no_leaks sysfs_slab_add
