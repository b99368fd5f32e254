#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Upstream's KVM selftests of 6.12, with and without the module. SELFTESTS=REGEX selects tests; SELFTESTS=. selects
# all. SELFTESTS_BOOTS=N distributes the tests over N boots, which run in parallel.
. "$(dirname "$0")/../lib/prove.sh"
. "$top/tests/lib/selftests.sh"

# Tests that are quick and touch what the module redirects: memslots, guest faults, creation of
# VMs and vCPUs, capabilities, the TSC.
quick='^(set_memory_region|pre_fault_memory|memslot_modification_stress|guest_memfd|coalesced_io'
quick+='|demand_paging|tsc_msrs|tsc_scaling_sync|max_vcpuid_cap|set_boot_cpu_id|smm|state|svm_vmcall'
quick+='|hyperv_svm|kvm_binary_stats|cpuid)(_test)?$'
boots=${SELFTESTS_BOOTS:-1}

# share N: print the tests of the Nth boot, with their time limits in seconds and their arguments.
share()
{
	selftests_list | grep -E "${SELFTESTS:-$quick}" | awk -v n="$1" -v boots="$boots" '
		NR == FNR { if (!/^#/) { line[$1] = $0 } next }
		FNR % boots == n % boots { print $1 in line ? line[$1] : $1 " 120" }' "$top/tests/selftests-6.12" -
}

# boot_share N: the boot's clock counts instructions, so that how a test ends, and whether it ends in time, does
# not depend on how busy this machine is.
boot_share()
{
	mkdir -p "$work/selftests-$1"
	share "$1" >"$work/selftests-$1/selftests.list"
	mapfile -t files < <(awk -v dir="$selftests_612" '{ print dir "/" $1 }' "$work/selftests-$1/selftests.list")
	strip -g -o "$work/selftests-$1/kvm-gmem-numa.ko" "$ko"
	[ ! -e "$modules/private_mem.ko" ] || files+=("$modules/private_mem.ko")
	initramfs "$work/selftests-$1.cpio.gz" selftests "$work/selftests-$1/kvm-gmem-numa.ko" "$programs/hold" \
		"$work/selftests-$1/selftests.list" "${files[@]}"
	BOOT_ICOUNT=4 BOOT_SECONDS=30000 scenario "selftests, boot $1 of $boots" "$work/selftests-$1.cpio.gz"
}

# The output of a boot is shown as it arrives, one boot after the other.
for n in $(seq "$boots"); do
	: >"$work/selftests-$n.tap"
	boot_share "$n" >"$work/selftests-$n.tap" 2>&1 &
	pid[n]=$!
done
for n in $(seq "$boots"); do
	tail -n +1 -f --pid="${pid[n]}" "$work/selftests-$n.tap"
done | awk '
	/^1\.\.[0-9]/ { next }
	/^(not )?ok [0-9]/ { sub(/ok [0-9]+/, "ok " ++points) }
	{ print; fflush() }
	END { print "1.." points }'
