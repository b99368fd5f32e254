# SPDX-License-Identifier: GPL-2.0-only
# The kernels that the tests run. Needs common.sh and packages.sh.
#
# kernel_use NAME, where NAME is in the list tests/kernels or is the path of a built kernel tree, sets
#	kernel_name	the name of the kernel and of its files
#	kernel_release	what uname -r says
#	kernel_image	bzImage
#	kernel_root	folder with lib/modules/$kernel_release
#	kernel_build	kbuild folder
#	kernel_chroot	root in which the tools that kbuild runs can run; empty: this machine
#	kernel_make	arguments for make
#	kernel_expect	states of the features; empty: not known beforehand
#	kernel_runs	empty if the kernel's KVM cannot run here
#	kernel_parameters	for the kernel's command line

# kernel_list: print the names of the kernels.
kernel_list()
{
	awk '!/^#/ { print $1 }' "$top/tests/kernels"
}

kernel_use()
{
	kernel_chroot=
	kernel_parameters=
	case $1 in
	/*) kernel_use_tree "$1" ;;
	*) kernel_use_debian "$1" ;;
	esac
	[ -e "$kernel_root/lib/modules/$kernel_release/modules.dep" ] ||
		depmod -b "$kernel_root" "$kernel_release" 2>/dev/null
}

kernel_use_debian()
{
	local name suite pattern home states headers packages image
	kernel_name=$1
	read -r name suite pattern home states < <(awk -v name="$1" '$1 == name' "$top/tests/kernels") ||
		die "no kernel is called $1; tests/kernels has those that there are"

	headers=$(newest "$suite" "$pattern")
	kernel_release=${headers#linux-headers-}
	kernel_expect=${states% build}
	kernel_runs=yes
	[ "$kernel_expect" = "$states" ] || kernel_runs=

	# From 7.x on, an image is split into several packages.
	if apt_in "$suite" cache show "linux-modules-$kernel_release" >/dev/null 2>&1; then
		packages="linux-modules-$kernel_release linux-binary-$kernel_release"
		image=lib/modules/$kernel_release/vmlinuz
	else
		packages=linux-image-$kernel_release
		image=boot/vmlinuz-$kernel_release
	fi
	# shellcheck disable=SC2086 # a list of words
	kernel_root=$(unpack "$suite" $packages)
	# Some packages rely on /lib being a link to /usr/lib.
	[ -e "$kernel_root/lib" ] || ln -sfn usr/lib "$kernel_root/lib"
	kernel_image=$kernel_root/$image

	kernel_use_headers "$suite" "$headers" "$home"
}

# Unpack the headers, and the linux-headers-*-common and linux-kbuild-* packages that they need.
kernel_use_headers()
{
	local suite=$1 headers=$2 home=$3 packages
	mapfile -t packages < <(apt_in "$suite" cache depends "$headers" |
		sed -n 's/^  Depends: \(linux-\(headers\|kbuild\)-.*\)/\1/p')
	if [ "$home" = bookworm ]; then
		kernel_build=$(unpack "$suite" "$headers" "${packages[@]}")/usr/src/$headers
		# The packages refer to each other by absolute paths.
		sed -i "s|^include /usr/src/|include ${kernel_build%/*}/|" "$kernel_build/Makefile"
		kernel_make=("CC=gcc-12")
	else
		kernel_chroot=$cache/roots/$home
		unpack_into "$kernel_chroot" "$suite" "$headers" "${packages[@]}"
		kernel_build=$kernel_chroot/usr/src/$headers
		kernel_make=()
	fi
}

# kernel_module FILE: print a module, which may be compressed.
kernel_module()
{
	case $1 in
	*.xz) xz -dc "$1" ;;
	*.zst) zstd -dcq "$1" ;;
	*.gz) gzip -dc "$1" ;;
	*) cat "$1" ;;
	esac
}

# kernel_has OPTION=VALUE: whether the kernel in use was built with it.
kernel_has()
{
	grep -qx "CONFIG_$1" "$kernel_build/include/config/auto.conf"
}

# kernel_tree_check DIR: is it a tree that can be tested? All that is missing is said at once.
kernel_tree_check()
{
	local config=$1/include/config/auto.conf missing
	[ -e "$config" ] && [ -e "$1/arch/x86/boot/bzImage" ] && [ -e "$1/Module.symvers" ] ||
		die "$1 is not a kernel tree with a bzImage and modules that were built (make bzImage modules)"
	missing=$(kernel_options_missing "$1" | paste -sd ' ')
	[ -z "$missing" ] || die "the tests need a kernel with $missing; see docs/kernels.md"
}

# kernel_options_missing DIR: print the options that the tests need and that kernel was built without. An option that
# its Kconfig does not know is not missing, because it has another name there, or cannot be switched off.
kernel_options_missing()
{
	local source=$1 missing
	[ ! -e "$1/source" ] || source=$1/source
	missing=$(sed -n '/^# The tests run without these/q; s/^CONFIG_\([A-Z0-9_]*\)=.*/\1/p' \
		"$top/tests/debug-kernel/base.config" |
		grep -vxF -f <(sed -n 's/^CONFIG_\([A-Z0-9_]*\)=[ym]$/\1/p' "$1/include/config/auto.conf")) || return 0
	grep -rhx --include='Kconfig*' -f <(sed 's/^/config /' <<<"$missing") \
		"$source"/{arch/x86,drivers,fs,init,kernel,lib,mm,net,security,virt} | sed 's/^config /CONFIG_/' | sort -u || true
}

# A kernel tree that was built with modules, and was not installed anywhere.
kernel_use_tree()
{
	local config=$1/include/config/auto.conf
	kernel_build=$1
	kernel_image=$1/arch/x86/boot/bzImage
	kernel_release=$(cat "$1/include/config/kernel.release")
	kernel_name=$(printf '%s' "$kernel_release-$1" | tr -cs 'a-zA-Z0-9.' -)
	kernel_root=$cache/trees/$kernel_name
	kernel_expect=
	kernel_runs=yes
	# With panic_on_warn, KCSAN would panic at a data race in the kernel itself. Warnings are found in the log.
	! grep -qx CONFIG_KCSAN=y "$config" || kernel_parameters=panic_on_warn=0
	mapfile -t kernel_make < <(kernel_toolchain "$config")
	if [ ! "$kernel_root/.installed" -nt "$kernel_image" ] || [ ! "$kernel_root/.installed" -nt "$1/Module.symvers" ]; then
		rm -rf "$kernel_root"
		make -C "$1" "${kernel_make[@]}" INSTALL_MOD_PATH="$kernel_root" modules_install >&2
		touch "$kernel_root/.installed"
	fi
}

# kernel_toolchain AUTO.CONF: print arguments for make that name the compiler which built the kernel, in the
# same version if it is in the PATH.
kernel_toolchain()
{
	local text version
	text=$(sed -n 's/^CONFIG_CC_VERSION_TEXT="\(.*\)"/\1/p' "$1")
	version=$(sed -n 's/.* \([0-9]\+\)\.[0-9]\+\.[0-9].*/\1/p' <<<"$text")
	case $text in
	*clang*) command -v "clang-$version" >/dev/null && echo "LLVM=-$version" || echo LLVM=1 ;;
	*gcc*) command -v "gcc-$version" >/dev/null && echo "CC=gcc-$version" || echo CC=gcc ;;
	esac
}

# kernel_make DIR [MAKE ARGUMENT...]: build the external module in DIR for the kernel in use, with that
# kernel's toolchain.
kernel_make()
{
	local dir=$1 inside status=0
	shift
	if [ -z "$kernel_chroot" ]; then
		make -C "$kernel_build" M="$dir" -j2 "${kernel_make[@]}" "$@"
		return
	fi
	inside=$(mktemp -d "$kernel_chroot/build.XXXXXX")
	cp -a "$dir/." "$inside/"
	# objtool reads /proc/self/maps. The mount disappears with the command.
	unshare --mount --propagation private sh -c 'mount --rbind /proc "$0/proc" && exec chroot "$0" "$@"' \
		"$kernel_chroot" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		make -C "${kernel_build#"$kernel_chroot"}" M="/${inside##*/}" -j2 "$@" || status=$?
	cp -a "$inside/." "$dir/"
	rm -rf "$inside"
	return $status
}
