#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Installation from source, without a package, as the README says.
. "$(dirname "$0")/../lib/pkgprove.sh"

work=$cache/work/packages-source

# The module is gone. The source is not checked, because dkms does not remove it.
module_is_gone()
{
	! find "$1/root/usr/lib/modules" "$1/root/var/lib/dkms" -path "*$module*" | grep .
}

# The running kernel is not one of the root's kernels, so dkms is told which kernel to build for.
for d in $(distributions); do
	dir=$work/$d
	root_gone "$dir"
	root_for "$dir" "$d"
	k=$(headers_in "$dir/root" | sed -n 1p)
	# A file of earlier versions, in which a softdep loaded the module.
	mkdir -p "$dir/root/usr/lib/modprobe.d"
	: >"$dir/root/usr/lib/modprobe.d/$module.conf"
	check "$d | - | source: make install-source" make -C "$top" install-source DESTDIR="$dir/root"
	check "$d | - | source: an earlier version's file is gone" test ! -e "$dir/root/usr/lib/modprobe.d/$module.conf"
	check "$d | - | source: has every file that a build needs, and no test" source_is_complete "$dir"
	check "$d | $k | source: dkms install" in_root "$dir" dkms install "$module/$version" -k "$k"
	check "$d | $k | source: built and installed by dkms" is_installed "$dir" "$k" "$version"
	check "$d | $k | source: dkms remove" in_root "$dir" dkms remove "$module/$version" --all
	check "$d | $k | source: the module is gone" module_is_gone "$dir"
	check "$d | - | source: rm of what make installed" in_root "$dir" \
		rm -r "/usr/src/$module-$version" /usr/lib/udev/rules.d/80-kvm-gmem-numa.rules
	check "$d | - | source: nothing is left" is_gone "$dir"
	check "$d | $k | source: loads nothing" loads_nothing "$dir"
	root_gone "$dir"
done
plan
