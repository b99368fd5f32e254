#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The rpm, with rpm itself and the dkms of a root of Debian. The scriptlets are judged by the files
# that they leave.
. "$(dirname "$0")/../lib/pkgprove.sh"

work=$cache/work/packages-rpm

# rpm_of TREE NAME: build the tree's rpm, for root_for.
rpm_of()
{
	"$1/packaging/build.sh" rpm "$1/dist" && cp "$1"/dist/*.noarch.rpm "$packages/$2"
}

# rpm's database is empty in such a root. A package without files provides what the rpm requires, with the version of
# Debian's dkms.
provide_dkms()
{
	local version
	version=$(in_root "$1" dpkg-query -W -f '${source:Upstream-Version}' dkms)
	cat >"$1/root/packages/there.spec" <<-EOF
	Name: there
	Version: 1
	Release: 1
	Summary: What this root has from Debian
	License: None
	BuildArch: noarch
	Provides: dkms = $version, /bin/sh
	%description
	See the summary.
	%files
	EOF
	in_root "$1" sh -c 'rpmbuild -bb --define "_topdir /packages/there" /packages/there.spec && rpm -i /packages/there/RPMS/noarch/*.rpm'
}

# The rpm is installed even if the build fails, because a scriptlet that fails would leave half a package.
names_the_reason()
{
	in_root "$1" sh -c "rpm -i /packages/unknown.rpm 2>&1 | cat; rpm -q $module-dkms" >"$1/unknown.log" &&
		tail -n 12 "$1/unknown.log" | grep -F "$unsupported" || { tail -n 40 "$1/unknown.log"; return 1; }
}

tree_of_version "$work/trees/next" "$next"
tree_with "$work/trees/rebuilt" 's/^Release:.*/Release:	2/' rpm/$module-dkms.spec.in
tree_unknown "$work/trees/unknown"
check "any | - | rpm packages of another version, of another release, and of one that knows no kernel" \
	eval 'rpm_of "$work/trees/next" next.rpm && rpm_of "$work/trees/rebuilt" rebuilt.rpm && rpm_of "$work/trees/unknown" unknown.rpm'

for d in $(distributions); do
	dir=$work/$d
	root_gone "$dir"
	root_for "$dir" "$d"
	check "$d | - | rpm: dkms is new enough for it" provide_dkms "$dir"
	check "$d | - | rpm: installs" in_root "$dir" rpm -i "/packages/$(basename "$rpm")"
	check "$d | - | rpm: has every file that a build needs, and no test" source_is_complete "$dir"
	check_installed "$dir" "$d" "rpm: built and installed by dkms" "$version"
	check "$d | - | rpm: nothing of it is changed afterwards" in_root "$dir" rpm -V $module-dkms
	check "$d | - | rpm: is installed again" in_root "$dir" rpm -U --replacepkgs "/packages/$(basename "$rpm")"
	check_installed "$dir" "$d" "rpm: the module is there after installing it again" "$version"
	check "$d | - | rpm: upgrades to another release" in_root "$dir" rpm -U /packages/rebuilt.rpm
	check_installed "$dir" "$d" "rpm: the module is there after the upgrade to another release" "$version"
	check "$d | - | rpm: upgrades to another version" in_root "$dir" rpm -U /packages/next.rpm
	check_installed "$dir" "$d" "rpm: the new version is there after the upgrade" "$next"
	check "$d | - | rpm: the old version is gone after the upgrade" is_gone "$dir" "$version"
	check "$d | - | rpm: goes back to the older version" in_root "$dir" rpm -U --oldpackage "/packages/$(basename "$rpm")"
	check_installed "$dir" "$d" "rpm: the older version is there after the downgrade" "$version"
	check "$d | - | rpm: the newer version is gone after the downgrade" is_gone "$dir" "$next"
	check "$d | - | rpm: is erased" in_root "$dir" rpm -e $module-dkms
	check "$d | - | rpm: nothing is left" is_gone "$dir"
	check "$d | - | rpm: an unknown kernel's build fails, and the output says why" names_the_reason "$dir"
	check "$d | - | rpm: is erased after the failed build" in_root "$dir" rpm -e $module-dkms
	check "$d | - | rpm: nothing is left after the failed build" is_gone "$dir"
	check "$d | - | rpm: dnf install" in_root "$dir" dnf -y --disablerepo='*' install "/packages/$(basename "$rpm")"
	check_installed "$dir" "$d" "rpm: the module is there after dnf install" "$version"
	check "$d | - | rpm: dnf remove" in_root "$dir" dnf -y --disablerepo='*' remove $module-dkms
	check "$d | - | rpm: nothing is left after dnf remove" is_gone "$dir"
	check "$d | - | rpm: loads nothing" loads_nothing "$dir"
	root_gone "$dir"
done
plan
