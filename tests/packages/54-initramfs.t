#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An initramfs that contains the module contains the installed version, and none once the module is removed. Any
# other initramfs is left alone. Tested with initramfs-tools and with dracut.
. "$(dirname "$0")/../lib/lifecycle.sh"

previous=0.0.9

# Build a package like those of earlier versions, in which a softdep loaded the module. Because of the softdep, the
# module also came into an initramfs that has KVM.
previous_package()
{
	local tree=$cache/work/previous
	tree_of_version "$tree" $previous
	sed -i '/^POST_/d' "$tree/dkms.conf"
	sed -i -e '/^\trm -f/d' -e 's|^\tinstall .*/udev/.*|\tinstall -d $(DESTDIR)/usr/lib/modprobe.d\
\techo "softdep kvm_amd post: kvm_gmem_numa" >$(DESTDIR)/usr/lib/modprobe.d/kvm-gmem-numa.conf|' "$tree/Makefile"
	"$tree/packaging/build.sh" deb "$packages/previous"
}

# image NAME KERNEL: print a checksum of the initramfs.
image()
{
	with_system "$1" sh -c 'sha256sum <"$root/boot/initrd.img-$1"' sh "$2"
}

# left_alone NAME KERNEL IMAGE: the initramfs has still this checksum.
left_alone()
{
	[ "$(image "$1" "$2")" = "$3" ]
}

# asks NAME KERNEL LINE: an administrator adds the line to the modules that the initramfs loads.
asks()
{
	in_system "$1" "$2" sh -ec 'echo "$1" >>/etc/initramfs-tools/modules; update-initramfs -u -k "$2"' sh "$3" "$2"
}

# holds NAME KERNEL [VERSION]: the initramfs has the module in that version, or, without a version, has none.
holds()
{
	local found
	found=$(in_system "$1" "$2" sh -ec '
		mkdir /tmp/image
		cd /tmp/image
		if command -v update-initramfs >/dev/null; then
			unmkinitramfs "$1" .
		else
			lsinitrd --unpack "$1"
		fi
		find . -name "kvm-gmem-numa.ko*" -exec modinfo -F version {} +' sh "/boot/initrd.img-$2")
	echo "in the initramfs: ${found:-none}"
	[ "$found" = "${3:-}" ]
}

# The package is installed although the initramfs cannot be made, and apt's output says so.
tells()
{
	with_system "$1" sh -c 'printf "#!/bin/sh\nexit 1\n" >"$root/etc/initramfs-tools/hooks/broken"
		chmod +x "$root/etc/initramfs-tools/hooks/broken"'
	installs "$1" "$2" "$3" || return
	with_system "$1" sh -c 'rm "$root/etc/initramfs-tools/hooks/broken"'
	grep 'could not be rebuilt, and may hold another version' "$systems/$1/apt.log"
}

# dracut NAME KERNEL: install dracut in place of initramfs-tools, configured to include the module.
dracut()
{
	with_system "$1" sh -c 'mkdir -p "$root/etc/dracut.conf.d"
		echo "add_drivers+=\" kvm_gmem_numa \"" >"$root/etc/dracut.conf.d/administrator.conf"'
	apt_get "$1" "$2" install dracut initramfs-tools-
}

# prebuilt NAME KERNEL: build and install a package of the module for one kernel.
prebuilt()
{
	tree_with "$systems/$1/upper/source" ''
	in_system "$1" "$2" /source/packaging/modules-deb "/usr/src/linux-headers-$2" /out
	in_system "$1" "$2" sh -c 'dpkg --install /out/*.deb'
}

for d in $(distributions); do
	distribution=$d
	read -r _ suite _ < <(package_distributions | grep "^$d ")
	name=initramfs-$suite
	point - "package of an earlier version" previous_package
	system_new "$name" "$suite"
	k=$(system_kernels "$name")
	point "$k" "an initramfs with KVM" asks "$name" "$k" kvm_amd
	installs "$name" "$k" "$packages/previous/${package}_${previous}_all.deb"
	point "$k" "an earlier version comes into the initramfs with KVM" asks "$name" "$k" "# the same again"
	point "$k" "the initramfs has the earlier version" holds "$name" "$k" $previous
	point "$k" "apt install, over the earlier version" installs "$name" "$k" "$deb"
	point "$k" "the initramfs has neither the earlier version nor another" holds "$name" "$k"
	before=$(image "$name" "$k")
	point "$k" "apt install, a newer version" installs "$name" "$k" "$deb_next"
	point "$k" "an initramfs without the module is left alone" left_alone "$name" "$k" "$before"
	point "$k" "apt install, back to the older" installs "$name" "$k" "$deb" --allow-downgrades
	boots "$name" "$k" active

	point "$k" "an administrator adds the module to the initramfs" asks "$name" "$k" kvm_gmem_numa
	point "$k" "the initramfs has the installed version" holds "$name" "$k" "$version"
	point "$k" "apt install works where no initramfs can be made, and says so" tells "$name" "$k" "$deb_next"
	point "$k" "apt install, back to the older, once more" installs "$name" "$k" "$deb" --allow-downgrades
	point "$k" "the initramfs has the older" holds "$name" "$k" "$version"
	point "$k" "apt install, a newer version, once more" installs "$name" "$k" "$deb_next"
	point "$k" "the initramfs has the newer" holds "$name" "$k" "$next"

	system_fork "$name-dracut" "$name"
	point "$k" "dracut" dracut "$name-dracut" "$k"
	point "$k" "dracut: the initramfs has the module" holds "$name-dracut" "$k" "$next"
	point "$k" "dracut: apt install, another version" installs "$name-dracut" "$k" "$deb" --allow-downgrades
	point "$k" "dracut: the initramfs has the other version" holds "$name-dracut" "$k" "$version"
	point "$k" "dracut: apt purge" apt_get "$name-dracut" "$k" purge "$package"
	point "$k" "dracut: the initramfs has none" holds "$name-dracut" "$k"
	system_drop "$name-dracut"

	system_fork "$name-removed" "$name"
	point "$k" "apt purge" apt_get "$name-removed" "$k" purge "$package"
	point "$k" "the initramfs has none" holds "$name-removed" "$k"
	point "$k" "a package that was built for one kernel" prebuilt "$name-removed" "$k"
	point "$k" "the initramfs has the module of that package" holds "$name-removed" "$k" "$version"
	point "$k" "apt purge of that package" apt_get "$name-removed" "$k" purge "kvm-gmem-numa-modules-*"
	point "$k" "the initramfs has none after that" holds "$name-removed" "$k"
	system_drop "$name-removed" "$name"
done
plan
