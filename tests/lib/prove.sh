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
modules=$work/module
programs=$cache/work/programs
ko=$modules/kvm-gmem-numa.ko

# native_kernel: use a kernel that itself has guest_memfd with policies, for comparison. What is written for these boots
# has a folder of its own, because the kernel may be tested for itself at the same time.
native_kernel()
{
	kernel_use trixie-backports-7.3
	kernel_expect=
	modules=$cache/work/$kernel_name/module
	ko=$modules/kvm-gmem-numa.ko
	work=$cache/work/reference
	mkdir -p "$work"
}

# boot_with MODULE|- SCENARIO NAME [KERNEL PARAMETER...]: run the scenario on the kernel in use, with all test
# programs, and with the file BOOT_FILES if it is set. HUGE sets the module's parameter
# huge, unless a kernel parameter of the script does.
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
		mapfile -t -O ${#files[@]} files < <(find "$modules" -maxdepth 1 -name '*.ko' ! -name kvm-gmem-numa.ko)
		;;
	*)
		[ ! -e "$modules/protect_tsc.ko" ] || [ "$ko" = - ] || files+=("$modules/protect_tsc.ko")
		[ ! -e "$modules/private_mem.ko" ] || files+=("$modules/private_mem.ko")
		[ ! -e "$modules/sw_protected.ko" ] || files+=("$modules/sw_protected.ko")
		;;
	esac
	# Core mm logs this when a page fault finds no memory, and then retries the fault.
	[ "$scenario" != conformance ] || local BOOT_EXPECTED="Huh VM_FAULT_OOM"
	initramfs "$work/$name.cpio.gz" "$scenario" "${files[@]}"
	scenario "$name" "$work/$name.cpio.gz" ${kernel_expect:+"gmem_expect=${kernel_expect// /,}"} \
		${HUGE:+"gmem_huge=$HUGE"} "$@"
}

# boot_program PROGRAM MODULE NAME [KERNEL PARAMETER...]: run one of the test programs, in the scenario that it
# belongs to.
boot_program()
{
	case $1 in
	load) boot_with "$2" load "$3" "${@:4}" ;;
	neighbours) BOOT_ICOUNT=0 boot_with "$2" neighbours "$3" "${@:4}" ;;
	test_movable) BOOT_MOVABLE_MIB=256 boot_with "$2" movable "$3" "${@:4}" ;;
	fuzz) BOOT_SECONDS=120 boot_with "$2" fuzz "$3" fuzz_seconds=120 fuzz_seed=1 "${@:4}" ;;
	race_*)
		BOOT_ICOUNT=2 BOOT_SECONDS=6000 boot_with "$2" races "$3" race_seconds=60 race_seed=1 "race_programs=$1" "${@:4}"
		;;
	*) boot_with "$2" conformance "$3" "gmem_only=$1" "${@:4}" ;;
	esac
}
