# SPDX-License-Identifier: GPL-2.0-only
# Debian packages: tools installed on this machine, kernels only unpacked into
# the cache. Needs common.sh.
#
# Suites other than the machine's own are read through an apt state in the
# cache, so the machine's sources stay as they are.

# archive_site SUITE: the archive that the machine itself uses for such suites, so
# that mirrors and proxies work. Security updates have one of their own.
archive_site()
{
	local codename=bookworm
	[[ $1 != *-security ]] || codename=bookworm-security
	apt-get indextargets --format '$(SITE) $(CODENAME)' |
		awk -v codename=$codename '$2 == codename { print $1; exit }'
}

# apt_source SUITE: its line for a sources.list.
apt_source()
{
	local site
	site=$(archive_site "$1")
	[ -n "$site" ] || die "apt knows no archive for suites like $1; is this Debian 12?"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $1 main"
}

# apt_state NAME [SUITE...]: create or refresh it, for the suite NAME if no other
# is given. Its index is kept for a day.
apt_state()
{
	local dir=$cache/apt/$1 suite
	[ $# -eq 1 ] || shift
	if [ -n "$(find "$dir/fresh" -mmin -1440 2>/dev/null)" ]; then
		return
	fi
	mkdir -p "$dir/lists/partial" "$dir/archives/partial"
	for suite; do
		apt_source "$suite"
	done >"$dir/sources.list"
	apt_in "$(basename "$dir")" get -q update
	touch "$dir/fresh"
}

# apt_in STATE get|cache ARGUMENT...
apt_in()
{
	local dir=$cache/apt/$1 tool=apt-$2
	shift 2
	"$tool" -o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State::Lists="$dir/lists" -o Dir::Cache="$dir" -o APT::Sandbox::User=root "$@"
}

# newest STATE PATTERN: the newest package whose name matches the extended regex.
newest()
{
	local name
	name=$(apt_in "$1" cache pkgnames | grep -xE "$2" | sort -V | tail -n 1)
	[ -n "$name" ] || die "no package matches $2; Debian may have moved on to another series"
	echo "$name"
}

# unpack STATE PACKAGE...: download and unpack; prints the folder they are in.
unpack()
{
	local state=$1 version name="" p key dir
	shift
	for p; do
		version=$(apt_in "$state" cache madison "$p" | awk -F ' *[|] *' 'NR == 1 { print $2 }')
		[ -n "$version" ] || die "$state has no package $p"
		name+="$p=$version "
	done
	key=$(printf '%s' "$name" | sha256sum | cut -c 1-12)
	dir=$cache/unpacked/$1-$key
	if [ ! -e "$dir/.complete" ]; then
		rm -rf "$dir"
		mkdir -p "$dir" "$cache/debs/$key"
		# shellcheck disable=SC2086 # a list of words
		(cd "$cache/debs/$key" && apt_in "$state" get -q download $name) >&2
		for p in "$cache/debs/$key"/*.deb; do
			dpkg-deb -x "$p" "$dir"
		done
		rm -rf "$cache/debs/$key"
		touch "$dir/.complete"
	fi
	echo "$dir"
}

# unpack_into ROOT STATE PACKAGE...: the same, into a root that has others.
unpack_into()
{
	local root=$1 from name
	shift
	from=$(unpack "$@")
	name=$(basename "$from")
	if [ ! -e "$root/.unpacked/$name" ]; then
		tar -C "$from" -c --exclude=./.complete . | tar -C "$root" -x
		mkdir -p "$root/.unpacked"
		touch "$root/.unpacked/$name"
	fi
}

# make_root RELEASE: a root of another release of Debian, with what builds modules:
# its kernels' build tools need its C library. Nothing of it is ever booted.
make_root()
{
	local root=$cache/roots/$1
	if [ -e "$root/.complete" ]; then
		return
	fi
	rm -rf "$root"
	mkdir -p "$cache/roots"
	mmdebstrap --mode=root --variant=minbase --include=gcc-14,make,libc6-dev,libelf1t64,pahole,perl \
		"$1" "$root" "$(apt_source "$1")"
	touch "$root/.complete"
}

# install_tools PACKAGE...: those that are missing. QEMU comes from backports:
# version 7.2 crashes kernels it runs with several threads.
install_tools()
{
	local p missing=()
	for p; do
		dpkg-query -W -f '${db:Status-Abbrev}' "$p" 2>/dev/null | grep -q ^ii || missing+=("$p")
	done
	if [ ${#missing[@]} -gt 0 ]; then
		DEBIAN_FRONTEND=noninteractive apt_in bookworm get -q install -y --no-install-recommends "${missing[@]}"
	fi
	if ! dpkg --compare-versions "$(dpkg-query -W -f '${Version}' qemu-system-x86 2>/dev/null)" ge 1:10; then
		DEBIAN_FRONTEND=noninteractive apt_in bookworm get -q install -y --no-install-recommends \
			-t bookworm-backports qemu-system-x86
	fi
}

# ccache_dir: what ccache keeps of builds in roots and systems. A header that the build has just
# written is compared by what is in it, as all others are, and not by its age.
ccache_dir()
{
	mkdir -p "$cache/ccache"
	echo 'sloppiness = include_file_ctime,include_file_mtime' >"$cache/ccache/ccache.conf"
	echo "$cache/ccache"
}

demo_tools=(busybox-static cpio gcc gcc-12 kmod libbpf-dev libc6-dev libelf1 libnuma-dev make pahole xz-utils)
# Packages are built and looked at on this machine, and installed in roots of others.
# mmdebstrap makes a root in one go, from any suite, without a configuration of its own.
package_tools=(autodep8 build-essential debhelper dh-dkms faketime kmod lintian make mmdebstrap perl rpm rpmlint)
# What booted systems need: the firmware's disks are FAT, and mokutil is copied to where it runs.
system_tools=("${package_tools[@]}" busybox-static cpio e2fsprogs gcc libbpf-dev libc6-dev libnuma-dev mokutil mtools xz-utils)
check_tools=("${demo_tools[@]}" "${package_tools[@]}" bison checkpolicy flex libelf-dev rsync shellcheck sparse uuid-dev)
# perf says where instructions go; gnuplot draws, and wants no more than a terminal.
bench_tools=("${demo_tools[@]}" gnuplot-nox linux-perf mmdebstrap)
# Ansible as Debian has it, and what looks over playbooks.
fleet_tools=("${demo_tools[@]}" "${package_tools[@]}" ansible-core ansible-lint e2fsprogs openssh-client pyflakes3
	python3-jsonschema python3-pycodestyle yamllint)
