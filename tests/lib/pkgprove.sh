# SPDX-License-Identifier: GPL-2.0-only
# What the scripts in packages/ share. tests/run has built the packages and the roots.
#
# Each point is called DISTRIBUTION | KERNEL | STEP, with - as the kernel of a point that is about no kernel.
# lib/packages-table.awk prints the results.

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$top/tests/lib/packages.sh"
. "$top/tests/lib/pkgroots.sh"
. "$top/tests/lib/tap.sh"

# The packages that tests/run has built for these tests.
packages=$cache/packages
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$top/dkms.conf")
module=kvm-gmem-numa
deb=$packages/${module}-dkms_${version}_all.deb
rpm=$packages/${module}-dkms-${version}-1.noarch.rpm
next=$version.1

# distributions: print the distributions that match the regex DISTRIBUTIONS.
distributions()
{
	package_distributions | awk -v regex="${DISTRIBUTIONS:-.}" '$1 ~ regex { print $1 }'
}

# headers_in ROOT: print the kernels whose headers the root has.
headers_in()
{
	local headers
	for headers in "$1"/lib/modules/*/build; do
		basename "${headers%/build}"
	done
}

# in_root DIR COMMAND...
in_root()
{
	root_run "$1/root" "${@:2}"
}

# root_for DIR DISTRIBUTION: make a root to install packages in, where modprobe only records its calls.
root_for()
{
	root_over "$1" "$2"
	mkdir -p "$1/root/packages"
	cp "$packages"/*.deb "$packages"/*.rpm "$1/root/packages/"
	printf '#!/bin/sh\necho "$*" >>/modprobe.calls\n' >"$1/root/usr/local/sbin/modprobe"
	chmod +x "$1/root/usr/local/sbin/modprobe"
	# The PATH of rpm's scriptlets: rpm's default, preceded by the modprobe above and by ccache.
	mkdir -p "$1/root/etc/rpm"
	echo '%_install_script_path /usr/local/sbin:/usr/lib/ccache:/sbin:/bin:/usr/sbin:/usr/bin' >"$1/root/etc/rpm/macros.test"
}

# tree_with DIR SED_SCRIPT FILE...: copy the tree and change these files, to build
# other packages from it.
tree_with()
{
	local dir=$1 script=$2 file
	shift 2
	rm -rf "$dir"
	mkdir -p "$dir"
	tar -C "$top" -c --exclude=./.git --exclude=./dist . | tar -C "$dir" -x
	for file; do
		sed -i -e "$script" "$dir/$file"
		! cmp -s "$dir/$file" "$top/$file" || die "$script changes nothing in $file"
	done
}

# tree_of_version DIR VERSION
tree_of_version()
{
	tree_with "$1" "s/^PACKAGE_VERSION=.*/PACKAGE_VERSION=\"$2\"/; 1s/(.*)/($2)/" dkms.conf debian/changelog
}

# tree_unknown DIR: a tree that knows no kernel. unsupported is what its build then says.
unsupported="kvm-gmem-numa: this kernel is not supported: struct kvm_gfn_range"
tree_unknown()
{
	tree_with "$1" 's/attr_filter = KVM_FILTER_SHARED/no_such_field = 0/; s/, attr_filter));/, start));/' \
		compat/probes/KVM_GFN_RANGE_ATTR_FILTER.c
}

# is_installed DIR KERNEL VERSION: both dkms and the module itself say that this version is installed.
is_installed()
{
	local file
	in_root "$1" dkms status -m "$module" -k "$2" | tee /dev/stderr | grep -q "$module/$3, $2, .*: installed" || return
	[ "$(in_root "$1" dkms status -m "$module" -k "$2" | wc -l)" -eq 1 ] || return
	file=$(find "$1/root/lib/modules/$2/" -name 'kvm-gmem-numa.ko*')
	[[ $file == */updates/dkms/* ]] && [ "$(modinfo -F version "$file")" = "$3" ]
}

# check_installed DIR DISTRIBUTION WHAT VERSION: one point for each kernel whose headers the root has.
check_installed()
{
	local k
	for k in $(headers_in "$1/root"); do
		check "$2 | $k | $3" is_installed "$1" "$k" "$4"
	done
}

# is_gone DIR [VERSION]: nothing is left of the module, or of that version of the module.
is_gone()
{
	local left
	left=$(find "$1/root/usr/src" "$1/root/var/lib/dkms" "$1/root/usr/lib/modules" "$1/root/usr/lib/udev" \
		"$1/root/usr/lib/modprobe.d" -path "*$module*" | grep -E -- "${2:+${module}[-/]${2//./\\.}(/|\$)}" || true)
	printf '%s' "$left"
	[ -z "$left" ]
}

# loads_nothing DIR: neither the package nor dkms has called modprobe.
loads_nothing()
{
	! cat "$1/root/modprobe.calls" 2>/dev/null
}

# source_is_complete DIR: /usr/src has everything that the module is built from, as it is in the tree,
# and no test.
source_is_complete()
{
	local source=$1/root/usr/src/$module-$version part
	for part in Kbuild dkms.conf packaging/boot/initramfs.sh compat include src; do
		diff -r -x exports -x have.h -x have.mk -x '*.answer*' -x '*.o' -x '.*.cmd' "$top/$part" "$source/$part" || return
	done
	[ ! -e "$source/tests" ]
}
