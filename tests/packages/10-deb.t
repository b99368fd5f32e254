#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The Debian package, in roots of Debian: installed, upgraded, removed, and installed for a kernel that it
# does not know.
. "$(dirname "$0")/../lib/pkgprove.sh"

# The package can be built from the source package with that release's own tools.
builds()
{
	cp "$packages"/*.dsc "$packages"/*.tar.xz "$1/root/packages/"
	in_root "$1" sh -ec "mkdir /build; cd /build; dpkg-source -x /packages/*.dsc tree; cd tree; make deb"
	[ -s "$1/root/build/tree/dist/$(basename "$deb")" ]
}

# Run what autopkgtest would run for the source package, with our package as the only one that apt finds.
autopkgtest()
{
	local command
	command=$(cd "$top" && autodep8 | sed -n 's/^Test-Command: //p')
	mkdir "$1/root/repository"
	cp "$deb" "$1/root/repository/"
	rm -rf "$1"/root/etc/apt/sources.list.d/*
	echo 'deb [trusted=yes] file:/repository ./' >"$1/root/etc/apt/sources.list"
	in_root "$1" sh -ec "cd /repository; dpkg-scanpackages . >Packages; apt-get -q update; cd /build/tree; $command" \
		>"$1/autopkgtest.log" 2>&1 || { tail -n 40 "$1/autopkgtest.log"; return 1; }
	diff <(headers_in "$1/root" | sort) <(awk '/^I: PASS / { print $NF }' "$1/autopkgtest.log" | sort)
}

# By default, an upgrade of the package makes Debian's dkms build for the running kernel and the newest one only.
all_kernels()
{
	echo 'autoinstall_all_kernels=yes' >>"$1/root/etc/dkms/framework.conf"
}

# Run the commands of docs/secure-boot.md that make a key beforehand.
makes_key()
{
	rm -f "$1"/root/var/lib/dkms/mok.*
	in_root "$1" sh -ec "$(awk '/^## / { on = /beforehand/ } /^```/ { code = /sh$/; next } on && code' "$top/docs/secure-boot.md")"
	cp "$1/root/var/lib/dkms/mok.pub" "$1/mok.pub"
}

# signed_with_key DIR: every module that was built is signed, and with the key that was there before.
signed_with_key()
{
	local k file
	cmp "$1/mok.pub" "$1/root/var/lib/dkms/mok.pub" || return
	for k in $(headers_in "$1/root"); do
		file=$(find "$1/root/lib/modules/$k/" -name 'kvm-gmem-numa.ko*')
		modinfo -F signer "$file" | tee /dev/stderr | grep -qx 'DKMS module signing key' || return
	done
}

# dpkg-reconfigure builds the module again, as docs/secure-boot.md says.
builds_anew()
{
	local before
	before=$(find "$1/root/usr/lib/modules" -name 'kvm-gmem-numa.ko*' -newer "$1/mok.pub" -printf '%p %i %T@\n' | sort)
	in_root "$1" dpkg-reconfigure $module-dkms
	[ -n "$before" ] && ! comm -12 <(echo "$before") \
		<(find "$1/root/usr/lib/modules" -name 'kvm-gmem-numa.ko*' -printf '%p %i %T@\n' | sort) | grep .
}

# Installing the package fails, and the reason is among the last lines of the output.
names_the_reason()
{
	! in_root "$1" sh -c "dpkg -i /packages/unknown.deb 2>&1 | cat; dpkg-query -W -f '\${db:Status-Status}' $module-dkms | grep -qx installed" \
		>"$1/unknown.log" || { cat "$1/unknown.log"; return 1; }
	tail -n 12 "$1/unknown.log" | grep -F "$unsupported" || { tail -n 40 "$1/unknown.log"; return 1; }
}

# package_of TREE NAME: build the tree's Debian package, for root_for.
package_of()
{
	"$1/packaging/build.sh" deb "$1/dist" && cp "$1/dist/$module-dkms"_*_all.deb "$packages/$2"
}

work=$cache/work/packages-deb
rm -rf "$work/trees"
tree_of_version "$work/trees/next" "$next"
tree_unknown "$work/trees/unknown"
check "any | - | Debian packages of another version, and of one that knows no kernel" \
	eval 'package_of "$work/trees/next" next.deb && package_of "$work/trees/unknown" unknown.deb'

for d in $(distributions); do
	dir=$work/$d
	root_gone "$dir"
	root_for "$dir" "$d"
	check "$d | - | deb: make deb, from its source" builds "$dir"
	check "$d | - | deb: autopkgtest" autopkgtest "$dir"
	check "$d | - | deb: is purged after autopkgtest" in_root "$dir" dpkg --purge $module-dkms
	check "$d | - | deb: a key is made beforehand" makes_key "$dir"
	check "$d | - | deb: installs" in_root "$dir" dpkg -i "/packages/$(basename "$deb")"
	check "$d | - | deb: has every file that a build needs, and no test" source_is_complete "$dir"
	check_installed "$dir" "$d" "deb: built and installed by dkms" "$version"
	check "$d | - | deb: signed with the key that was there" signed_with_key "$dir"
	check "$d | - | deb: dpkg-reconfigure builds it again" builds_anew "$dir"
	check_installed "$dir" "$d" "deb: built and installed by dkms again" "$version"
	all_kernels "$dir"
	check "$d | - | deb: upgrades" in_root "$dir" dpkg -i /packages/next.deb
	check_installed "$dir" "$d" "deb: the new version is there after an upgrade" "$next"
	check "$d | - | deb: the old version is gone after an upgrade" is_gone "$dir" "$version"
	check "$d | - | deb: is removed" in_root "$dir" dpkg --purge $module-dkms
	check "$d | - | deb: nothing is left" is_gone "$dir"
	check "$d | - | deb: an unknown kernel's build fails, and apt's output says why" names_the_reason "$dir"
	check "$d | - | deb: loads nothing" loads_nothing "$dir"
	root_gone "$dir"
done
plan
