# SPDX-License-Identifier: GPL-2.0-only
# Steps in the life of an installed package. Sourced by scripts in packages/, which set the
# distribution of their points. A point's text is what the table shows: DISTRIBUTION | KERNEL | STEP.

. "$(dirname "${BASH_SOURCE[0]}")/pkgprove.sh"
. "$top/tests/lib/boot.sh"
. "$top/tests/lib/systems.sh"
. "$top/tests/lib/secure.sh"

package=$module-dkms
deb_next=$packages/next/${package}_${next}_all.deb
programs=$cache/work/programs
system_files=("$programs/probe" "$programs/demo_vmm" "$programs/hold")

[ -e "$deb_next" ] || {
	tree_of_version "$cache/work/next" "$next"
	"$cache/work/next/packaging/build.sh" deb "$packages/next"
} >&2

# of_distribution NAME: set the distribution that the script is about. The script is skipped if only others
# were asked for.
of_distribution()
{
	distribution=$1
	if [[ ! $1 =~ ${DISTRIBUTIONS:-.} ]]; then
		echo "1..0 # SKIP not asked for: $1"
		exit
	fi
}

# point KERNEL STEP COMMAND...
point()
{
	local text="$distribution | $1 | $2"
	shift 2
	check "$text" "$@"
}

# boot_points KERNEL COMMAND...: relay the points of a boot.
boot_points()
{
	local release=$1 line before=$count
	shift
	while read -r line; do
		case $line in
		"ok "* | "not ok "*)
			count=$((count + 1))
			sed -E "s/ok [0-9]+ - /ok $count - $distribution | $release | boot: /" <<<"$line"
			;;
		"1.."*) ;;
		*) printf '%s\n' "$line" ;;
		esac
	done < <("$@")
	# Without any point, the boot could not even be prepared.
	[ "$count" -gt "$before" ] || point "$release" "boot: booted" false
}

# boots NAME KERNEL WANT [KERNEL PARAMETER...]: the system boots, and the module is in the wanted state.
boots()
{
	local name=$1 release=$2 want=$3
	shift 3
	boot_points "$release" system_boot "it" "$name" "$release" lifecycle \
		"gmem_want=$want" "gmem_version=$version" "$@"
}

# apt_get NAME KERNEL ARGUMENT...: run apt-get in the system. Its output goes to a log as well.
apt_get()
{
	local name=$1 release=$2
	shift 2
	in_system "$name" "$release" apt-get -q -y -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-unsafe-io \
		-o DPkg::Path=/usr/lib/ccache:/usr/sbin:/usr/bin:/sbin:/bin \
		--no-install-recommends "$@" 2>&1 |
		tee "$systems/$name/apt.log"
}

# bring NAME DEB: put the file where apt finds it in the system.
bring()
{
	with_system "$1" sh -c 'cp "$1" "$root/var/tmp/"' sh "$2"
}

# installs NAME KERNEL DEB [ARGUMENT...]: apt-get install ./DEB
installs()
{
	local name=$1 release=$2 deb=$3
	shift 3
	bring "$name" "$deb"
	apt_get "$name" "$release" install "$@" "/var/tmp/${deb##*/}"
}

# built NAME VERSION KERNEL...: dkms has the module for these kernels only, and in that version only.
built()
{
	local name=$1 version=$2 status release
	shift 2
	status=$(in_system "$name" "$1" dkms status)
	echo "$status"
	for release; do
		grep -Fqx "kvm-gmem-numa/$version, $release, x86_64: installed" <<<"$status" || return
		with_system "$name" sh -c 'ls "$root/lib/modules/$1"/updates/dkms/kvm-gmem-numa.ko*' sh "$release" || return
	done
	[ "$(grep -c '^kvm-gmem-numa' <<<"$status")" -eq $# ]
}

not_built()
{
	! in_system "$1" "$2" dkms status -m kvm-gmem-numa | tee /dev/stderr | grep -q "$2"
}

# signed NAME KERNEL: the module is signed with the key of dkms.
signed()
{
	in_system "$1" "$2" modinfo -k "$2" -F signer kvm-gmem-numa | tee /dev/stderr | grep -qx 'DKMS module signing key'
}

# inventory NAME: list all files that a package might leave behind. The key is left out, because dkms makes it when
# it first signs any module, and keeps it.
inventory()
{
	with_system "$1" sh -c 'cd "$root" && find lib/modules/ var/lib/dkms usr/src etc usr/share/doc \
		usr/lib/modprobe.d usr/lib/udev ! -name "mok.*" -printf "%y %m %p\n" | sort'
}

# as_before NAME INVENTORY: nothing is left behind, nothing is missing, and no list of modules
# names the module.
as_before()
{
	inventory "$1" | diff "$2" - || return
	with_system "$1" sh -c '! grep -r kvm.gmem.numa "$root"/lib/modules/*/modules.*'
}

# no_modules NAME KERNEL: nothing of that kernel is left in /lib/modules.
no_modules()
{
	with_system "$1" sh -c '! find "$root/lib/modules/$1" | tee /dev/stderr | grep -q .' sh "$2"
}

# life NAME KERNEL: upgrade, downgrade, remove, reinstall and purge the package, in a copy of a system that has it.
life()
{
	local from=$1 name=$1-life release=$2
	system_fork "$name" "$from"
	point "$release" "apt install, a newer version" installs "$name" "$release" "$deb_next"
	point "$release" "dkms has the newer version only" built "$name" "$next" "$release"
	point "$release" "apt install, back to the older" installs "$name" "$release" "$deb" --allow-downgrades
	point "$release" "dkms has the older version only" built "$name" "$version" "$release"
	point "$release" "apt remove" apt_get "$name" "$release" remove "$package"
	point "$release" "dkms has none" not_built "$name" "$release"
	# The package has no configuration files, so remove and purge leave the same.
	point "$release" "nothing is left behind" as_before "$name" "$systems/$from.before"
	point "$release" "apt install, once more" installs "$name" "$release" "$deb"
	point "$release" "apt purge" apt_get "$name" "$release" purge "$package"
	point "$release" "nothing is left behind then" as_before "$name" "$systems/$from.before"
	system_drop "$name"
}
