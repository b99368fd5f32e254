#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What modprobe would load with KVM, by each release's own kmod, once the package is there. That
# it does so at boot is for scripts that boot.
. "$(dirname "$0")/../lib/pkgprove.sh"

work=$cache/work/packages-boot

# modules_of DIR MODULE...: a kernel's folder with such modules. To say what it would load,
# modprobe reads no more than their names.
modules_of()
{
	local dir=$1/root/lib/modules/6.1.0-test m
	shift
	rm -rf "$dir"
	mkdir -p "$dir/kernel" "$dir/updates/dkms"
	touch "$dir"/modules.{order,builtin,builtin.modinfo}
	for m; do
		gcc -c -x c /dev/null -o "$dir/$m.ko"
	done
	depmod -b "${dir%/lib/*}" 6.1.0-test
}

# loads DIR MODULE: what is loaded with it, in order, and all else that modprobe says.
loads()
{
	in_root "$1" /usr/sbin/modprobe -S 6.1.0-test -D "$2" 2>&1 | sed 's,^insmod .*/,,' | awk '!seen[$1]++ { print $1 }' | paste -sd ' '
}

brings_it()
{
	modules_of "$1" kernel/kvm-amd kernel/kvm-intel updates/dkms/kvm-gmem-numa
	[ "$(loads "$1" "$2" | tee /dev/stderr)" = "$2.ko kvm-gmem-numa.ko" ]
}

does_without()
{
	modules_of "$1" kernel/kvm-amd kernel/kvm-intel
	[ "$(loads "$1" "$2" | tee /dev/stderr)" = "$2.ko" ] && in_root "$1" /usr/sbin/modprobe -S 6.1.0-test -D "$2"
}

# Last, because it leaves the file there.
kept_away()
{
	modules_of "$1" kernel/kvm-amd kernel/kvm-intel updates/dkms/kvm-gmem-numa
	: >"$1/root/etc/modprobe.d/kvm-gmem-numa.conf"
	[ "$(loads "$1" "$2" | tee /dev/stderr)" = "$2.ko" ]
}

# Neither a unit of the package's own nor one that loads modules can fail for it.
no_unit()
{
	! dpkg-deb -c "$deb" | grep -E 'systemd|modules-load|init\.d|udev'
}

check "any | - | boot: no unit has to do with it" no_unit
for d in $(distributions); do
	dir=$work/$d
	root_gone "$dir"
	root_for "$dir" "$d"
	dpkg-deb -x "$deb" "$dir/unpacked"
	mkdir -p "$dir/root/usr/lib/modprobe.d"
	cp "$dir"/unpacked/usr/lib/modprobe.d/* "$dir/root/usr/lib/modprobe.d/"
	for vendor in kvm-amd kvm-intel; do
		check "$d | - | boot: $vendor brings the module" brings_it "$dir" $vendor
		check "$d | - | boot: $vendor is loaded where the module is missing, without a word" does_without "$dir" $vendor
	done
	check "$d | - | boot: an empty file in /etc/modprobe.d keeps the module away" kept_away "$dir" kvm-amd
	root_gone "$dir"
done
plan
