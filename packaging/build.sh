#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# build.sh deb|rpm OUT: build packages from this tree, and leave them in OUT. What comes out
# depends on the tree alone: not on where and when it is built, nor on who builds it.

set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
what=$1
mkdir -p "$2"
out=$(cd "$2" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

export LC_ALL=C.UTF-8 TZ=UTC
name=$(sed -n 's/^PACKAGE_NAME="\(.*\)"/\1/p' "$top/dkms.conf")
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$top/dkms.conf")

# The time of the last change in the changelog.
changelog_field()
{
	dpkg-parsechangelog -l "$top/debian/changelog" -S "$1"
}

# same_version: dkms.conf has the version, and the changelog's last entry is about it.
same_version()
{
	local changelog
	changelog=$(changelog_field Version)
	[ "$changelog" = "$version" ] || {
		echo "error: dkms.conf has version $version, the last entry of debian/changelog is of $changelog" >&2
		exit 1
	}
}

# pack FILE [TAR ARGUMENT...]: the tree without what builds leave in it.
pack()
{
	local file=$1
	shift
	tar -C "$top" -cf "$file" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 \
		--numeric-owner --mode=u=rwX,go=rX --format=gnu --exclude-vcs --exclude-vcs-ignores \
		--transform="s,^\.,$name-$version," "$@" .
}

deb()
{
	pack "$work/source.tar"
	tar -C "$work" -xpf "$work/source.tar"
	rm "$work/source.tar"
	(cd "$work/$name-$version" && umask 022 && dpkg-buildpackage --no-sign) >"$out/deb-build.log" 2>&1 || {
		tail -n 20 "$out/deb-build.log" >&2
		echo "error: no package; the whole log is $out/deb-build.log" >&2
		exit 1
	}
	cp "$work/$name"* "$out/" 2>/dev/null || true
}

same_version
SOURCE_DATE_EPOCH=$(changelog_field Timestamp)
export SOURCE_DATE_EPOCH
"$what"
