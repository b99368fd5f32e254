# SPDX-License-Identifier: GPL-2.0-only
# SELinux, enforcing: the label of a guest_memfd, and whether SELinux allows its creation.

selinux=/sys/fs/selinux

mount -t selinuxfs selinux $selinux
# The policy must be written with one write(2), because the kernel takes the first write for all of it.
ok "the policy is loaded" dd if=./policy of=$selinux/load bs=1M
ok "the policy is enforced" sh -c "echo 1 >$selinux/enforce"
if [ -e kvm-gmem-numa.ko ]; then
	ok "loads" load
fi
tap ./test_selinux
if [ -e kvm-gmem-numa.ko ]; then
	ok "no inode is left" no_inodes
	ok "unloads" unload
	ok "nothing is left" clean
fi
