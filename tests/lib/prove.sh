# SPDX-License-Identifier: GPL-2.0-only
# What the scripts in t/ share. tests/run has built what they need.

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$top/tests/lib/packages.sh"
. "$top/tests/lib/kernels.sh"
. "$top/tests/lib/boot.sh"
. "$top/tests/lib/build.sh"
. "$top/tests/lib/tap.sh"

kernel=${GMEM_KERNEL:-$(kernel_list | sed -n 1p)}
kernel_use "$kernel"
work=$cache/work/$kernel_name
programs=$cache/work/programs
ko=$work/module/kvm-gmem-numa.ko

# native_kernel: use a kernel that itself has all that the module brings, for comparison.
native_kernel()
{
	kernel_use trixie-backports-7.3
	kernel_expect=
	work=$cache/work/reference
	mkdir -p "$work"
}

# boot_with MODULE|- SCENARIO NAME [KERNEL PARAMETER...]: run the scenario on the kernel in use, with all test
# programs, and with the file BOOT_FILES if it is set.
boot_with()
{
	local ko=$1 scenario=$2 name=$3 files=()
	shift 3
	[ "$ko" = - ] || files+=("$ko")
	[ -z "${BOOT_FILES:-}" ] || files+=("$BOOT_FILES")
	mapfile -t -O ${#files[@]} files < <(find "$programs" -type f -executable)
	[ "$scenario" != upstream ] ||
		mapfile -t -O ${#files[@]} files < <(find "$cache/selftests" -maxdepth 1 -type f -executable)
	[ "$scenario" != selinux ] || files+=("$work/selinux/policy")
	case $scenario in
	load)
		mapfile -t -O ${#files[@]} files < <(find "$work/module" -maxdepth 1 -name '*.ko' ! -name kvm-gmem-numa.ko)
		;;
	*)
		[ ! -e "$work/module/protect_tsc.ko" ] || [ "$ko" = - ] || files+=("$work/module/protect_tsc.ko")
		;;
	esac
	# Core mm logs this when a page fault finds no memory, and then retries the fault.
	[ "$scenario" != conformance ] || local BOOT_EXPECTED="Huh VM_FAULT_OOM"
	initramfs "$work/$name.cpio.gz" "$scenario" "${files[@]}"
	scenario "$name" "$work/$name.cpio.gz" ${kernel_expect:+"gmem_expect=${kernel_expect// /,}"} "$@"
}
