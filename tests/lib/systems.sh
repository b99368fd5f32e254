# SPDX-License-Identifier: GPL-2.0-only
# Whole Debian systems, with systemd. Packages are installed into them, and then they are
# booted from a disk. Needs common.sh, packages.sh, kernels.sh, boot.sh.
#
# A system is a stack of layers: the base that mmdebstrap made, which is kept, and the changes since then.
# Packages are installed natively, in a chroot, because compiling takes half an hour in an emulator. The kernel is
# then booted from a disk image of the system. A package that is installed many times is compiled only once, because
# ccache precedes the compiler in the PATH.

systems=$cache/systems
kernel_parameters=

# What the systems have in addition to Debian's minimal set: enough to boot, and what the README
# tells users to install.
system_packages=systemd-sysv,udev,kmod,dbus,initramfs-tools,lz4,ccache,openssl,dkms

# Files of packages that are of no use here. They are three quarters of what dpkg would have to write.
system_unused=(/usr/share/{man,locale} /{usr/,}lib/modules/'*'/kernel/{sound,drivers/{gpu,iio,infiniband,media,net,scsi,staging,usb}})

# system_base RELEASE: make a minimal installation with systemd, the release's own kernel and dkms. It is kept for a
# week, because its index of the archive gets out of date.
# Packages come from the same suites as on a host that has backports.
system_base()
{
	local release=$1 root=$systems/base/$1 kernel=amd64 suite unused=()
	if [ -n "$(find "$root.complete" -mmin -10080 2>/dev/null)" ]; then
		return
	fi
	rm -rf "$root" "$root.complete"
	mkdir -p "$systems/base"
	for suite in "$release" "$release-security" "$release-backports"; do
		apt_source "$suite"
	done >"$root.list"
	for suite in "${system_unused[@]}"; do
		unused+=("--dpkgopt=path-exclude=$suite/*")
	done
	# Debian 13 gets an old kernel, which the tests upgrade.
	[ "$release" = bookworm ] || kernel=$(oldest_kernel "$release-security")
	# The initrd has only what QEMU's machine needs, because it is made and unpacked often.
	# shellcheck disable=SC2016 # for the shell that mmdebstrap runs
	mmdebstrap --mode=root --variant=minbase --skip=cleanup/apt/lists --include="$system_packages,linux-image-$kernel,linux-headers-$kernel" \
		"${unused[@]}" --essential-hook='
		mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"
		printf "%s\n" MODULES=list COMPRESS=lz4 >"$1/etc/initramfs-tools/conf.d/gmem-test"
		printf "%s\n" virtio_pci virtio_blk ext4 crc32c >"$1/usr/share/initramfs-tools/modules.d/gmem-test"' \
		"$release" "$root" "$root.list"
	# Without a machine ID, the first boot would ask questions on the console.
	chroot "$root" systemd-machine-id-setup
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod +x "$root/usr/sbin/policy-rc.d"
	touch "$root.complete"
}

# build_system DISTRIBUTION: make the system of a distribution of pkgroots.sh.
build_system()
{
	local release
	read -r _ release _ < <(package_distributions | grep "^$1 ")
	apt_state trixie
	apt_state trixie-security
	system_base "$release"
}

# oldest_kernel STATE: print the release of the oldest kernel that is available with its headers.
oldest_kernel()
{
	local name
	for name in $(apt_in "$1" cache pkgnames | grep -xE 'linux-headers-[0-9.]+\+deb[0-9]+-amd64' | sort -V); do
		name=${name#linux-headers-}
		if apt_in "$1" cache show "linux-image-$name" >/dev/null 2>&1; then
			echo "$name"
			return
		fi
	done
	die "$1 has no kernel with headers"
}

# system_new NAME RELEASE: make a fresh system. system_fork NAME FROM: make a system as a layer over another system,
# which must not be changed from then on.
system_new()
{
	rm -rf "${systems:?}/$1"
	mkdir -p "$systems/$1"/{upper,work,root}
	echo "$systems/base/$2" >"$systems/$1/lower"
}

system_fork()
{
	rm -rf "${systems:?}/$1"
	mkdir -p "$systems/$1"/{upper,work,root}
	echo "$systems/$2/upper:$(cat "$systems/$2/lower")" >"$systems/$1/lower"
}

# system_drop NAME...
system_drop()
{
	local name
	for name; do
		rm -rf "${systems:?}/$name"
	done
}

# with_system NAME COMMAND...: run the command on this machine, with the system's files at $root. The mounts
# disappear with the command.
with_system()
{
	local dir=$systems/$1
	shift
	root=$dir/root unshare --mount --propagation private sh -c '
		mount -t overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" overlay "$2/root" || exit
		shift 2
		exec "$@"' sh "$(cat "$dir/lower")" "$dir" "$@"
}

# in_system NAME KERNEL COMMAND...: run the command in the system, as if KERNEL were running. The postinst script
# builds for that kernel.
in_system()
{
	local name=$1 release=$2 uname
	shift 2
	uname=$systems/$name/uname
	printf '#!/bin/sh\n[ "$*" = -r ] || exec /bin/uname.real "$@"\necho %s\n' "$release" >"$uname"
	chmod +x "$uname"
	with_system "$name" unshare --pid --fork --kill-child sh -c '
		mount -t proc proc "$root/proc" &&
		mount --bind /dev "$root/dev" &&
		mount -t tmpfs tmp "$root/tmp" &&
		mkdir "$root/tmp/ccache" &&
		mount --bind "$2" "$root/tmp/ccache" &&
		cp -L /etc/resolv.conf "$root/tmp/resolv.conf" &&
		cp "$root/bin/uname" "$root/tmp/uname.real" || exit
		sed "s|/bin/uname.real|/tmp/uname.real|" "$1" >"$root/tmp/uname"
		chmod +x "$root/tmp/uname"
		mount --bind "$root/tmp/uname" "$root/usr/bin/uname" || exit
		[ ! -e "$root/etc/resolv.conf" ] || mount --bind "$root/tmp/resolv.conf" "$root/etc/resolv.conf"
		shift 2
		exec chroot "$root" /usr/bin/env -i PATH=/usr/lib/ccache:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
			CCACHE_DIR=/tmp/ccache DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"' \
		sh "$uname" "$(ccache_dir)" "$@"
}

# system_kernels NAME: print the releases of the installed kernels, oldest first.
system_kernels()
{
	with_system "$1" sh -c 'ls "$root/lib/modules"' | sort -V
}

# system_image NAME IMAGE SCENARIO FILE...: make a disk with the system's files, the given files, and a unit that runs
# the scenario in guest/ once the system is up. The system itself is left as it is.
system_image()
{
	local name=$1 image=$2 scenario=$3 harness
	shift 3
	system_fork "$name.boot" "$name"
	harness=$systems/$name.boot/upper/gmem-test
	mkdir -p "$harness"
	cp "$top/tests/guest/lib.sh" "$top/tests/guest/running.sh" "$harness/"
	cp "$top/tests/guest/$scenario.sh" "$harness/scenario.sh"
	cp "$top/tests/guest/system.init" "$harness/run"
	[ $# -eq 0 ] || cp "$@" "$harness/"
	# The unit is copied through the mount, which merges it with the lower layers.
	with_system "$name.boot" sh -e -c '
		cp "$1" "$root/etc/systemd/system/gmem-test.service"
		mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
		ln -s ../gmem-test.service "$root/etc/systemd/system/multi-user.target.wants/"
		rm -f "$2"
		size=$(du -sk "$root" | cut -f 1)
		mke2fs -q -F -t ext4 -L gmem-test -O ^has_journal -E root_owner=0:0 -d "$root" "$2" "$((size * 6 / 5 + 262144))k"
		cp "$root"/boot/vmlinuz-* "$root"/boot/initrd.img-* "${2%/*}/"' \
		sh "$top/tests/guest/system.service" "$image"
	system_drop "$name.boot"
}

# An emulator on a busy machine is slower than the default timeouts of systemd and udev allow.
system_patience=(systemd.default_timeout_start_sec=1800 systemd.default_device_timeout_sec=1800
	udev.event_timeout=1800)

# system_boot TITLE NAME RELEASE SCENARIO [KERNEL PARAMETER...]: boot the system with that kernel, and
# print the scenario's results as TAP. The scenario gets the files in system_files.
system_boot()
{
	local title=$1 name=$2 release=$3 scenario=$4 dir=$systems/$2/boot
	shift 4
	set -- root=/dev/vda rw "${system_patience[@]}" "$@"
	mkdir -p "$dir"
	system_image "$name" "$dir/disk" "$scenario" "${system_files[@]}" || return
	kernel_name=$name
	kernel_image=$dir/vmlinuz-$release
	[ -z "${BOOT_SECURE:-}" ] || secure_disk "$name" "$release" "$*"
	BOOT_OPTIONS="-drive file=$dir/disk,format=raw,if=virtio,cache=unsafe ${BOOT_OPTIONS:-}" \
		scenario "$title" "$dir/initrd.img-$release" "$@"
	rm -rf "$dir"
}
