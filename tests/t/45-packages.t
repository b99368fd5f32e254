#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What can be checked of packages without installing them; the rest is in packages/.
. "$(dirname "$0")/../lib/pkgprove.sh"

packages=$cache/work/packages-quick
rpm=$packages/$(basename "$rpm")
deb=$packages/$(basename "$deb")

# Every place that names a version names that of dkms.conf. 40-build checks MODULE_VERSION.
same_version()
{
	{
		sed -n '1s/.*(\(.*\)).*/debian-changelog \1/p' "$top/debian/changelog"
		echo "deb $(dpkg-deb -f "$deb" Version)"
		echo "deb-source $(dpkg-deb -c "$deb" | sed -n 's,.*/usr/src/kvm-gmem-numa-\([^/]*\)/dkms.conf$,\1,p')"
		echo "deb-dkms $(dpkg-deb -I "$deb" postinst | sed -n 's/^DKMS_VERSION=//p')"
		echo "rpm $(command rpm -qp --qf '%{version}' "$rpm")"
		echo "rpm-source $(command rpm -qpl "$rpm" | sed -n 's,^/usr/src/kvm-gmem-numa-\([^/]*\)/dkms.conf$,\1,p')"
		echo "rpm-changelog $(command rpm -qp --changelog "$rpm" | sed -n '1s/.*> - \(.*\)-1$/\1/p')"
	} | awk -v version="$version" '{ print; n++ } $2 != version { bad = 1 } END { exit bad || n != 7 }'
}

# No package is built from a tree whose changelog names another version.
other_version_is_refused()
{
	tree_with "$packages/tree" '1s/(.*)/(9.9.9)/' debian/changelog
	! "$packages/tree/packaging/build.sh" deb "$packages/other" && [ -z "$(ls "$packages/other")" ]
}

# Both packages have the source files of the tree, and nothing else below /usr/src.
same_source()
{
	(cd "$top" && find Kbuild dkms.conf packaging/boot/initramfs.sh compat include src -type f \
		! -name 'have.*' ! -name exports ! -name '*.answer*' ! -name '*.o' ! -name '.*.cmd' ! -name ask.log | sort) >"$packages/tree.list"
	dpkg-deb -c "$deb" | sed -n 's,.*/usr/src/[^/]*/\(.*[^/]\)$,\1,p' | sort | diff "$packages/tree.list" - &&
		command rpm -qpl --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' "$rpm" |
			sed -n 's,^-.* /usr/src/[^/]*/\(.*\)$,\1,p' | sort | diff "$packages/tree.list" -
}

lintian_says()
{
	lintian --allow-root -EI --fail-on none "$packages"/*.changes
}

rpmlint_says()
{
	rpmlint -c "$top/rpm/rpmlint.toml" "$packages"/*.rpm "$packages"/*.spec 2>&1 | grep -E ': [EW]: '
}

rm -rf "$packages"
check "any | - | make deb" "$top/packaging/build.sh" deb "$packages"
check "any | - | make rpm" "$top/packaging/build.sh" rpm "$packages"
check "any | - | one version in all places" same_version
check "any | - | a tree with two versions gives no package" other_version_is_refused
check "any | - | both packages have the source that a build needs" same_source
silent "any | - | lintian has nothing to say" lintian_says
silent "any | - | rpmlint has nothing to say" rpmlint_says
plan
