#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An initramfs that has the module has the one that is installed, and no longer than it is; any
# other is left alone. With initramfs-tools and with dracut.
. "$(dirname "$0")/../lib/lifecycle.sh"

previous=0.0.9

# As earlier versions were: loaded by a softdep, by which it came into an initramfs that has KVM.
previous_package()
{
	local tree=$cache/work/previous
	tree_of_version "$tree" $previous
	sed -i '/^POST_/d' "$tree/dkms.conf"
	sed -i -e '/^\trm -f/d' -e 's|^\tinstall .*/udev/.*|\tinstall -d $(DESTDIR)/usr/lib/modprobe.d\
\techo "softdep kvm_amd post: kvm_gmem_numa" >$(DESTDIR)/usr/lib/modprobe.d/kvm-gmem-numa.conf|' "$tree/Makefile"
	"$tree/packaging/build.sh" deb "$packages/previous"
}

# image NAME KERNEL
image()
{
	with_system "$1" sh -c 'sha256sum <"$root/boot/initrd.img-$1"' sh "$2"
}

# left_alone NAME KERNEL IMAGE
left_alone()
{
	[ "$(image "$1" "$2")" = "$3" ]
}

# asks NAME KERNEL LINE: an administrator has that loaded in the initramfs.
asks()
{
	in_system "$1" "$2" sh -ec 'echo "$1" >>/etc/initramfs-tools/modules; update-initramfs -u -k "$2"' sh "$3" "$2"
}

# holds NAME KERNEL [VERSION]: the initramfs has the module in that version, or has none.
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

# The package is installed although its initramfs cannot be made, and apt's output says so.
tells()
{
	with_system "$1" sh -c 'printf "#!/bin/sh\nexit 1\n" >"$root/etc/initramfs-tools/hooks/broken"
		chmod +x "$root/etc/initramfs-tools/hooks/broken"'
	installs "$1" "$2" "$3" || return
	with_system "$1" sh -c 'rm "$root/etc/initramfs-tools/hooks/broken"'
	grep 'could not be rebuilt, and may hold another version' "$systems/$1/apt.log"
}

# dracut NAME KERNEL: in place of initramfs-tools, and asked for the module.
dracut()
{
	with_system "$1" sh -c 'mkdir -p "$root/etc/dracut.conf.d"
		echo "add_drivers+=\" kvm_gmem_numa \"" >"$root/etc/dracut.conf.d/administrator.conf"'
	apt_get "$1" "$2" install dracut initramfs-tools-
}

# prebuilt NAME KERNEL: as a package that was built for one kernel.
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
	point "$k" "an earlier version comes into it with KVM" asks "$name" "$k" "# the same again"
	point "$k" "it is there" holds "$name" "$k" $previous
	point "$k" "apt install, over the earlier version" installs "$name" "$k" "$deb"
	point "$k" "the earlier version is no longer in the initramfs, nor another" holds "$name" "$k"
	before=$(image "$name" "$k")
	point "$k" "apt install, a newer version" installs "$name" "$k" "$deb_next"
	point "$k" "an initramfs without it is left alone" left_alone "$name" "$k" "$before"
	point "$k" "apt install, back to the older" installs "$name" "$k" "$deb" --allow-downgrades
	boots "$name" "$k" active

	point "$k" "an administrator has it in the initramfs" asks "$name" "$k" kvm_gmem_numa
	point "$k" "it is there, as installed" holds "$name" "$k" "$version"
	point "$k" "apt install works where no initramfs can be made, and says so" tells "$name" "$k" "$deb_next"
	point "$k" "apt install, back to the older, once more" installs "$name" "$k" "$deb" --allow-downgrades
	point "$k" "the initramfs has the older" holds "$name" "$k" "$version"
	point "$k" "apt install, a newer version, once more" installs "$name" "$k" "$deb_next"
	point "$k" "the initramfs has the newer" holds "$name" "$k" "$next"

	system_fork "$name-dracut" "$name"
	point "$k" "dracut" dracut "$name-dracut" "$k"
	point "$k" "dracut: the initramfs has the module" holds "$name-dracut" "$k" "$next"
	point "$k" "dracut: apt install, another version" installs "$name-dracut" "$k" "$deb" --allow-downgrades
	point "$k" "dracut: the initramfs has that" holds "$name-dracut" "$k" "$version"
	point "$k" "dracut: apt purge" apt_get "$name-dracut" "$k" purge "$package"
	point "$k" "dracut: the initramfs has none" holds "$name-dracut" "$k"
	system_drop "$name-dracut"

	system_fork "$name-removed" "$name"
	point "$k" "apt purge" apt_get "$name-removed" "$k" purge "$package"
	point "$k" "the initramfs has none" holds "$name-removed" "$k"
	point "$k" "a package that was built for one kernel" prebuilt "$name-removed" "$k"
	point "$k" "the initramfs has the module of that" holds "$name-removed" "$k" "$version"
	point "$k" "apt purge of that" apt_get "$name-removed" "$k" purge "kvm-gmem-numa-modules-*"
	point "$k" "the initramfs has none then" holds "$name-removed" "$k"
	system_drop "$name-removed" "$name"
done
plan
