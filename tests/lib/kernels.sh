# SPDX-License-Identifier: GPL-2.0-only
# The kernels that the tests run. Needs common.sh and packages.sh.
#
# kernel_use NAME sets
#	kernel_release	as uname -r says
#	kernel_image	bzImage
#	kernel_root	folder with lib/modules/$kernel_release
#	kernel_build	kbuild folder; empty where we build nothing for it

kernel_use()
{
	local names
	kernel_build=
	case $1 in
	debian12)
		names=$(newest backports 'linux-headers-6\.12\.[0-9.]+\+deb12-amd64')
		kernel_release=${names#linux-headers-}
		kernel_root=$(unpack backports "linux-image-$kernel_release" \
			"linux-headers-$kernel_release" \
			"linux-headers-${kernel_release%-amd64}-common" \
			"linux-kbuild-${kernel_release%-amd64}")
		kernel_image=$kernel_root/boot/vmlinuz-$kernel_release
		kernel_build=$kernel_root/usr/src/linux-headers-$kernel_release
		# The packages name each other by absolute path.
		sed -i "s|^include /usr/src/|include $kernel_root/usr/src/|" "$kernel_build/Makefile"
		;;
	native)
		# Has all that the module brings, and is what it is compared to.
		names=$(newest trixie-backports 'linux-modules-7\.3\.[0-9.]+\+deb13-amd64')
		kernel_release=${names#linux-modules-}
		kernel_root=$(unpack trixie-backports "linux-modules-$kernel_release" \
			"linux-binary-$kernel_release")
		ln -sfn usr/lib "$kernel_root/lib"
		kernel_image=$kernel_root/lib/modules/$kernel_release/vmlinuz
		;;
	*)
		die "no kernel is called $1"
		;;
	esac
	[ -e "$kernel_root/lib/modules/$kernel_release/modules.dep" ] ||
		depmod -b "$kernel_root" "$kernel_release" 2>/dev/null
}
