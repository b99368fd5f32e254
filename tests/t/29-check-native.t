#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kvm-gmem-numa-check, the program that verifies hosts, on a native kernel without the module.
. "$(dirname "$0")/../lib/prove.sh"
native_kernel
tool=$work/tools/kvm-gmem-numa-check
make -s -C "$top/tools" OUT="$work/tools" LDFLAGS=-static >&2
initramfs "$work/check-native.cpio.gz" check "$ko" "$modules/sw_protected.ko" "$tool"
BOOT_MIB=768 BOOT_MOVABLE_MIB=512 scenario check-native "$work/check-native.cpio.gz" gmem_native=1
