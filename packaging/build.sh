#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# build.sh deb|rpm OUT: build packages from this tree, and leave them in OUT. The result depends
# only on the tree: not on where, when or by whom it is built.

set -euo pipefail

# Of the caller's environment, only PATH is kept, and a clock that faketime has set.
if [ -z "${PACKAGING_WORK:-}" ]; then
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	env -i PATH="$PATH" HOME="$work" LC_ALL=C.UTF-8 TZ=UTC PACKAGING_WORK="$work" \
		${FAKETIME:+"FAKETIME=$FAKETIME" "LD_PRELOAD=$LD_PRELOAD"} "$0" "$@"
	exit
fi

work=$PACKAGING_WORK
top=$(cd "$(dirname "$0")/.." && pwd)
what=$1
mkdir -p "$2"
out=$(cd "$2" && pwd)
umask 022

name=$(sed -n 's/^PACKAGE_NAME="\(.*\)"/\1/p' "$top/dkms.conf")
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$top/dkms.conf")
changelog=$top/debian/changelog

# dkms.conf holds the version, and the last entry of the changelog must be for that version.
same_version()
{
	local last
	last=$(sed -n '1s/.*(\(.*\)).*/\1/p' "$changelog")
	[ "$last" = "$version" ] || {
		echo "error: dkms.conf has version $version, the last entry of debian/changelog is of $last" >&2
		exit 1
	}
}

# source_tree: copy the tree to $work, without the output of builds, and make a tar of it.
source_tree()
{
	tar -C "$top" -cf "$work/$name-$version.tar" --sort=name --mtime="@$SOURCE_DATE_EPOCH" \
		--owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --format=gnu \
		--exclude-vcs --exclude-vcs-ignores --exclude=./dist --transform="s,^\.,$name-$version," .
	tar -C "$work" -xpf "$work/$name-$version.tar"
}

# logged COMMAND...: run it with its output in a log, and show the end of the log if it fails.
logged()
{
	"$@" >"$out/$what-build.log" 2>&1 || {
		tail -n 20 "$out/$what-build.log" >&2
		echo "error: no package; the whole log is $out/$what-build.log" >&2
		exit 1
	}
}

deb()
{
	rm "$work/$name-$version.tar"
	cd "$work/$name-$version"
	logged dpkg-buildpackage --no-sign
	cd "$work"
	find . -maxdepth 1 -type f -name "$name*" -exec cp {} "$out/" \;
	ls -d "$out/$name"*_"${version}"*.deb
}

# The changelog in rpm's format.
rpm_changelog()
{
	awk -v release=1 '
		/^[a-z]/ { version = $2; gsub(/[()]/, "", version); text = ""; next }
		/^  \* / { sub(/^  \* /, "- "); text = text $0 "\n"; next }
		/^    / { sub(/^    /, "  "); text = text $0 "\n"; next }
		/^ -- / {
			who = $0; sub(/^ -- /, "", who); sub(/>.*/, ">", who)
			date = $0; sub(/.*>  /, "", date); split(date, d, "[, ]+")
			printf "* %s %s %s %s %s - %s-%s\n%s\n", d[1], d[3], d[2], d[4], who, version, release, text
		}' "$changelog"
}

rpm()
{
	local top=$work/rpmbuild spec=$work/rpmbuild/SPECS/$name-dkms.spec
	mkdir -p "$top/SPECS" "$top/SOURCES"
	gzip -9n <"$work/$name-$version.tar" >"$top/SOURCES/$name-$version.tar.gz"
	{
		sed "s/@VERSION@/$version/" "$work/$name-$version/rpm/$name-dkms.spec.in"
		rpm_changelog
	} >"$spec"
	touch -d "@$SOURCE_DATE_EPOCH" "$spec" "$top"/SOURCES/*
	# No source package is built, because rpm records in it where it was built: the spec file and
	# the sources are left in OUT instead. --nodeps is for machines where make was not installed by
	# rpm. The definitions replace what rpm would take from the machine.
	logged rpmbuild -bb --nodeps --define "_topdir $top" --define "_buildhost localhost" \
		--define "use_source_date_epoch_as_buildtime 1" --define "clamp_mtime_to_source_date_epoch 1" \
		--define "source_date_epoch_from_changelog 0" --define "_binary_payload w9.gzdio" "$spec"
	cp "$spec" "$top"/SOURCES/* "$top"/RPMS/noarch/*.rpm "$out/"
	ls "$out/$name"*"-$version-"*.noarch.rpm
}

same_version
# The time of the last entry in the changelog.
SOURCE_DATE_EPOCH=$(date -d "$(sed -n 's/^ -- .*>  //p' "$changelog" | sed -n 1p)" +%s)
export SOURCE_DATE_EPOCH
source_tree
"$what"
