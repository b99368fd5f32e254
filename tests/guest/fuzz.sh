# SPDX-License-Identifier: GPL-2.0-only
# Random sequences of calls, compared with a model, for as long as the kernel's command line says;
# or one sequence, from the file replay.

echo on >/proc/sys/kernel/printk_devkmsg
# Most of the time would be spent waiting for grace periods.
echo 1 >/sys/kernel/rcu_expedited
# VMs can have private memory.
[ ! -e private_mem.ko ] || insmod ./private_mem.ko
leaks_begin
GMEM_HUGE=$(parameter gmem_huge)
export GMEM_HUGE
if [ -e replay ]; then
	tap ./fuzz replay replay
else
	seed=$(parameter fuzz_seed)
	tap ./fuzz "$(parameter fuzz_seconds)" "${seed:-$(date +%s)}" "$(parameter fuzz_sequences)"
fi
ok "no inode is left" no_inodes
ok "unloads" unload
ok "nothing is left" clean
[ ! -e $kmemleak ] || ok "kmemleak finds nothing" no_leaks
