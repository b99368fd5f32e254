#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Packages that are built in another place, at another time, by another user and with other settings are
# identical to the byte.
. "$(dirname "$0")/../lib/pkgprove.sh"

work=$cache/work/packages-again

again()
(
	umask 077
	mkdir -p "$work"
	tree_with "$work/another tree" ''
	find "$work/another tree" -exec touch -d 2031-02-03 {} +
	cd /
	export LC_ALL=tr_TR.UTF-8 TZ=Pacific/Chatham HOME=/nonexistent USER=other SOURCE_DATE_EPOCH=1 \
		DEB_BUILD_OPTIONS=nostrip DEB_BUILD_PROFILES=other XZ_OPT=-1 GZIP=-1 TAR_OPTIONS=--verbose
	faketime -f +400d "$work/another tree/packaging/build.sh" "$1" "$work/$1"
)

# same_as_first PATTERN: the files of the two builds are identical.
same_as_first()
{
	local file n=0
	for file in "$work"/$1; do
		cmp "$packages/$(basename "$file")" "$file" || return
		n=$((n + 1))
	done
	echo "$n files"
	[ $n -gt 0 ]
}

rm -rf "$work"
check "any | - | deb: a second build, in another place and with other settings" again deb
check "any | - | deb: the package is identical to the byte" same_as_first "deb/*.deb"
check "any | - | deb: the source is identical to the byte" same_as_first "deb/*.dsc"
check "any | - | deb: the source archive is identical to the byte" same_as_first "deb/*.tar.xz"
check "any | - | rpm: a second build, in another place and with other settings" again rpm
check "any | - | rpm: the package is identical to the byte" same_as_first "rpm/*.noarch.rpm"
check "any | - | rpm: the spec is identical to the byte" same_as_first "rpm/*.spec"
check "any | - | rpm: the source archive is identical to the byte" same_as_first "rpm/*.tar.gz"
plan
