#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Built elsewhere, at another time, by somebody whose machine is set otherwise, packages are
# the same to the byte.
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

# same_as_first PATTERN: the files of both builds.
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
check "any | - | deb: a second build, elsewhere and otherwise" again deb
check "any | - | deb: package the same to the byte" same_as_first "deb/*.deb"
check "any | - | deb: source the same to the byte" same_as_first "deb/*.dsc"
check "any | - | deb: source archive the same to the byte" same_as_first "deb/*.tar.xz"
check "any | - | rpm: a second build, elsewhere and otherwise" again rpm
check "any | - | rpm: package the same to the byte" same_as_first "rpm/*.noarch.rpm"
check "any | - | rpm: spec the same to the byte" same_as_first "rpm/*.spec"
check "any | - | rpm: source archive the same to the byte" same_as_first "rpm/*.tar.gz"
plan
