#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The Debian package, in roots of Debian: installed, upgraded, removed, and on a kernel that it
# does not know.
. "$(dirname "$0")/../lib/pkgprove.sh"

unsupported="kvm-gmem-numa: this kernel is not supported: struct kvm_gfn_range"

# Built from the source package with that release's own tools.
builds()
{
	cp "$packages"/*.dsc "$packages"/*.tar.xz "$1/root/packages/"
	in_root "$1" sh -ec "mkdir /build; cd /build; dpkg-source -x /packages/*.dsc tree; cd tree; dpkg-buildpackage --no-sign -b"
	[ -s "$1/root/build/$(basename "$deb")" ]
}

# Where it fails, the reason stands among the last lines.
names_the_reason()
{
	! in_root "$1" sh -c "dpkg -i /packages/unknown.deb 2>&1 | cat; dpkg-query -W -f '\${db:Status-Status}' $module-dkms | grep -qx installed" \
		>"$1/unknown.log" || { cat "$1/unknown.log"; return 1; }
	tail -n 12 "$1/unknown.log" | grep -F "$unsupported" || { tail -n 40 "$1/unknown.log"; return 1; }
}

# package_of TREE NAME: its Debian package, for root_for.
package_of()
{
	"$1/packaging/build.sh" deb "$1/dist" && cp "$1"/dist/*.deb "$packages/$2"
}

work=$cache/work/packages-deb
rm -rf "$work/trees"
tree_of_version "$work/trees/next" "$next"
tree_with "$work/trees/unknown" 's/attr_filter = KVM_FILTER_SHARED/no_such_field = 0/; s/, attr_filter));/, start));/' \
	compat/probes/KVM_GFN_RANGE_ATTR_FILTER.c
check "any | - | Debian packages of another version, and of one that knows no kernel" \
	eval 'package_of "$work/trees/next" next.deb && package_of "$work/trees/unknown" unknown.deb'

for d in $(distributions); do
	dir=$work/$d
	root_gone "$dir"
	root_for "$dir" "$d"
	check "$d | - | deb: builds from its source" builds "$dir"
	check "$d | - | deb: installs" in_root "$dir" dpkg -i "/packages/$(basename "$deb")"
	check "$d | - | deb: has every file that a build needs, and no test" source_is_complete "$dir"
	for k in $(headers_in "$dir/root"); do
		check "$d | $k | deb: built and installed by dkms" is_installed "$dir" "$k" "$version"
	done
	check "$d | - | deb: upgrades" in_root "$dir" dpkg -i /packages/next.deb
	for k in $(headers_in "$dir/root"); do
		check "$d | $k | deb: the new version is there after an upgrade" is_installed "$dir" "$k" "$next"
	done
	check "$d | - | deb: the old version is gone after an upgrade" is_gone "$dir" "$version"
	check "$d | - | deb: is removed" in_root "$dir" dpkg --purge $module-dkms
	check "$d | - | deb: nothing is left" is_gone "$dir"
	check "$d | - | deb: an unknown kernel's build fails, and apt's output says why" names_the_reason "$dir"
	check "$d | - | deb: loads nothing" loads_nothing "$dir"
	root_gone "$dir"
done
plan
