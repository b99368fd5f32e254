# SPDX-License-Identifier: GPL-2.0-only
# Debian packages: tools are installed on this machine, kernels are only unpacked into
# the cache. Needs common.sh.
#
# Suites other than the machine's own are read through an apt state in the
# cache, so the machine's sources stay as they are.

# archive_site SUITE: print the archive that the machine itself uses for such suites, so
# that mirrors and proxies work. Security updates have an archive of their own.
archive_site()
{
	local codename=bookworm
	[[ $1 != *-security ]] || codename=bookworm-security
	apt-get indextargets --format '$(SITE) $(CODENAME)' |
		awk -v codename=$codename '$2 == codename { print $1; exit }'
}

# apt_source SUITE: print the suite's line for a sources.list.
apt_source()
{
	local site
	site=$(archive_site "$1")
	[ -n "$site" ] || die "apt knows no archive for suites like $1; is this Debian 12?"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $1 main"
}

# apt_state NAME [SUITE...]: create or refresh an apt state, for the suite NAME if no other
# suite is given. Its index is kept for a day.
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

# newest STATE PATTERN: print the newest package whose name matches the extended regex.
newest()
{
	local name
	name=$(apt_in "$1" cache pkgnames | grep -xE "$2" | sort -V | tail -n 1)
	[ -n "$name" ] || die "no package matches $2; Debian may have moved on to another series"
	echo "$name"
}

# unpack STATE PACKAGE...: download and unpack the packages, and print the folder that they are in.
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

# unpack_into ROOT STATE PACKAGE...: unpack the packages into a root that contains other packages.
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

# make_root RELEASE: make a root of another release of Debian, with what is needed to build modules, because the
# build tools of that release's kernels need its C library. The root is never booted.
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

# make_qemu_root: make a root with the QEMU of Debian 13's backports, whose program the tests boot. Nothing in it is
# configured, because nothing runs in it.
make_qemu_root()
{
	local root=$cache/roots/qemu
	if [ -e "$root/.complete" ]; then
		return
	fi
	rm -rf "$root"
	mkdir -p "$cache/roots"
	{ apt_source trixie; apt_source trixie-backports; } | mmdebstrap --mode=root --variant=extract \
		--aptopt='APT::Default-Release "trixie-backports"' --include=base-files,qemu-system-x86 trixie "$root" -
	touch "$root/.complete"
}

# install_tools PACKAGE...: install the packages that are missing. QEMU comes from backports, because
# version 7.2 crashes kernels that it runs with several threads.
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

# ccache_dir: print the directory of ccache, for builds in roots and systems. ccache compares a header that the
# build has just written by its contents, as it does all other headers, and not by its age.
ccache_dir()
{
	mkdir -p "$cache/ccache"
	echo 'sloppiness = include_file_ctime,include_file_mtime' >"$cache/ccache/ccache.conf"
	echo "$cache/ccache"
}

demo_tools=(busybox-static cpio gcc gcc-12 kmod libbpf-dev libc6-dev libelf1 libnuma-dev make pahole xz-utils zstd)
# Packages are built and inspected on this machine, and installed in roots of Debian's releases.
# mmdebstrap makes a root in one go, from any suite, without a configuration file.
package_tools=(autodep8 build-essential debhelper dh-dkms faketime kmod lintian make mmdebstrap perl rpm rpmlint)
# What booted systems need: the firmware's disks are FAT, hence mtools, and mokutil is copied into an initramfs.
system_tools=("${package_tools[@]}" busybox-static cpio e2fsprogs gcc libbpf-dev libc6-dev libnuma-dev mokutil mtools xz-utils)
tree_tools=("${demo_tools[@]}" bison checkpolicy flex libelf-dev rsync sparse uuid-dev)
check_tools=("${tree_tools[@]}" "${package_tools[@]}" shellcheck)
# perf shows where instructions are spent. gnuplot draws the plot; the variant without X is enough.
bench_tools=("${demo_tools[@]}" gnuplot-nox linux-perf mmdebstrap)
# Debian's Ansible, and linters for playbooks and Python.
fleet_tools=("${demo_tools[@]}" "${package_tools[@]}" ansible-core ansible-lint e2fsprogs openssh-client pyflakes3
	python3-jsonschema python3-pycodestyle yamllint)
