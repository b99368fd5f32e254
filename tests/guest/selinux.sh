# SPDX-License-Identifier: GPL-2.0-only
# SELinux, enforcing: its label of a file, and its answer when one is created.

selinux=/sys/fs/selinux

mount -t selinuxfs selinux $selinux
# One write(2), or the kernel takes the first part for all.
ok "the policy is loaded" dd if=./policy of=$selinux/load bs=1M
ok "and enforced" sh -c "echo 1 >$selinux/enforce"
if [ -e kvm-gmem-numa.ko ]; then
	ok "loads" load
fi
tap ./test_selinux
if [ -e kvm-gmem-numa.ko ]; then
	ok "no inode is left" no_inodes
	ok "unloads" unload
	ok "nothing is left" clean
fi
