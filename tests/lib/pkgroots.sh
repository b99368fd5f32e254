# SPDX-License-Identifier: GPL-2.0-only
# Roots of Debian with dkms, rpm and headers, to install packages in. Needs common.sh,
# packages.sh.

# Each distribution with its release of Debian and the kernels of tests/kernels whose headers its root has.
package_distributions()
{
	cat <<-'EOF'
	debian12 bookworm bookworm-6.1
	debian13 trixie trixie-6.12 trixie-backports-7.3
	EOF
}

# package_root DISTRIBUTION: print where the distribution's root is, or will be. Tests work in a layer over it and
# leave the root itself as it is.
package_root()
{
	echo "$cache/pkgroots/$1"
}

# build_package_root DISTRIBUTION: build the root. It is kept for a week, because its kernels are those of the archive.
build_package_root()
{
	local root release kernels kernel suite pattern sources=() include packages
	include=build-essential,ccache,dctrl-tools,debhelper,dh-dkms,dkms,dnf,fakeroot,kmod,libnuma-dev,openssl,rpm,systemd
	root=$(package_root "$1")
	# A root that was made from another list lacks something that is needed now.
	if [ -n "$(find "$root/.complete" -mmin -10080 2>/dev/null)" ] && [ "$(cat "$root/.complete")" = "$include" ]; then
		return
	fi
	read -r _ release kernels < <(package_distributions | grep "^$1 ")
	sources=("$(apt_source "$release")")
	packages=$include
	for kernel in $kernels; do
		read -r _ suite pattern _ < <(awk -v name="$kernel" '$1 == name' "$top/tests/kernels")
		apt_state "$suite"
		[ "$suite" = "$release" ] || sources+=("$(apt_source "$suite")")
		packages+=,$(newest "$suite" "$pattern")
	done
	rm -rf "$root"
	mkdir -p "$cache/pkgroots"
	mmdebstrap --mode=root --variant=minbase --include="$packages" "$release" "$root" "${sources[@]}"
	echo "$include" >"$root/.complete"
}

# root_over DIR DISTRIBUTION: mount a layer over the distribution's root at DIR/root, which can be written to without
# changing that root. root_gone DIR undoes this.
root_over()
{
	mkdir -p "$1"/{upper,work,root}
	mount -t overlay overlay -o "lowerdir=$(package_root "$2"),upperdir=$1/upper,workdir=$1/work" "$1/root"
}

root_gone()
{
	! mountpoint -q "$1/root" || umount "$1/root"
	rm -rf "$1"
}

# root_run ROOT COMMAND...: run the command in the root, with /proc and /dev, and without this machine's
# environment. ccache precedes the compiler in the PATH, because one package is built many times for the same kernels.
root_run()
{
	local root=$1 ccache
	shift
	ccache=$(ccache_dir)
	mkdir -p "$root/run/ccache"
	unshare --mount --propagation private sh -c '
		root=$1 ccache=$2; shift 2
		mount --rbind /proc "$root/proc" && mount --rbind /dev "$root/dev" &&
			mount --bind "$ccache" "$root/run/ccache" && exec chroot "$root" "$@"' \
		sh "$root" "$ccache" /usr/bin/env -i HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
		CCACHE_DIR=/run/ccache PATH=/usr/local/sbin:/usr/local/bin:/usr/lib/ccache:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}
