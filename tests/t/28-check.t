#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kvm-gmem-numa-check, the program that verifies hosts.
. "$(dirname "$0")/../lib/prove.sh"

tool=$work/tools/kvm-gmem-numa-check
make -s -C "$top/tools" OUT="$work/tools" LDFLAGS=-static >&2
[ -e "$work/missed-policy.ko" ] ||
	build_variant "$work/missed-policy.ko" src/gmem/policy.c 's/->policy, index);/->policy, index << PAGE_SHIFT);/' >&2

initramfs "$work/check.cpio.gz" check "$ko" "$work/missed-policy.ko" "$modules/sw_protected.ko" "$tool"
BOOT_MIB=768 BOOT_MOVABLE_MIB=512 scenario check "$work/check.cpio.gz"
