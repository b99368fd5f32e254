#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# initramfs.sh KERNEL: have its initramfs hold the module that is installed now, if any. By itself
# nothing puts the module there: it is only where somebody asked for it, or where an earlier version
# came along with KVM. There alone the initramfs is rebuilt, because one with an old module would
# load that at each boot, also after the module was removed.
#
# dkms calls this when it has installed or removed the module, for which no failure here is a reason
# to fail.

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
# Its upgrade is a removal first, after which the image has it no more: so who asks for it counts.
# shellcheck disable=SC2086 # a list of words
grep -rqs 'kvm[-_]gmem[-_]numa' $asked || $list "$image" 2>/dev/null | grep -q '/kvm-gmem-numa\.ko' || exit 0

# dkms does this later, and without it what makes the image does not find the module.
depmod "$kernel"
if [ $list = lsinitramfs ]; then
	update-initramfs -u -k "$kernel"
else
	dracut --force "$image" "$kernel"
fi || echo "kvm-gmem-numa: $image could not be rebuilt, and may hold another version of the module" >&2
exit 0
