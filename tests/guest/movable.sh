# SPDX-License-Identifier: GPL-2.0-only
# A node whose memory is all movable, and later all of it except one block.

node=/sys/devices/system/node/node2

# block_becomes KIND: bring one block of the node's memory, which nothing uses yet, online as KIND.
block_becomes()
{
	for block in $node/memory*; do
		echo offline >$block/state && echo $1 >$block/state && return
	done
	return 1
}

[ ! -e private_mem.ko ] || insmod ./private_mem.ko
ok "loads" load
dmesg_mark
tap ./test_movable
ok "one line says which node and what to do" dmesg_says "memory of node 2 is movable.*leave that node out"
ok "a part of its memory becomes the kernel's" block_becomes online_kernel
tap ./test_movable
ok "no inode is left" no_inodes
ok "unloads" unload
