#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# initramfs.sh KERNEL: make the initramfs of that kernel hold the module that is installed now, if any.
# The module gets into an initramfs only if an administrator asked for it, or if an earlier version
# came along with KVM. Only such an initramfs is rebuilt, because one that has an old module would load
# that module at each boot, even after it was removed.
#
# dkms calls this after it has installed or removed the module. A failure here must not make that fail.

kernel=$1
asked="/etc/initramfs-tools /usr/share/initramfs-tools/modules.d /etc/dracut.conf /etc/dracut.conf.d"

for image in "/boot/initrd.img-$kernel" "/boot/initramfs-$kernel.img"; do
	[ ! -f "$image" ] || break
done
[ -f "$image" ] || exit 0

if command -v update-initramfs >/dev/null; then
	list=lsinitramfs
else
	list=lsinitrd
fi
# An upgrade begins with a removal, after which the image no longer has the module. So a request for the
# module in the configuration counts as well.
# shellcheck disable=SC2086 # a list of words
grep -rqs 'kvm[-_]gmem[-_]numa' $asked || $list "$image" 2>/dev/null | grep -q '/kvm-gmem-numa\.ko' || exit 0

# dkms runs depmod later, but without it the tools below do not find the module.
depmod "$kernel"
if [ $list = lsinitramfs ]; then
	update-initramfs -u -k "$kernel"
else
	dracut --force "$image" "$kernel"
fi || echo "kvm-gmem-numa: $image could not be rebuilt, and may hold another version of the module" >&2
exit 0
