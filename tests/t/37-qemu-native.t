#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A SEV-SNP guest of Debian 13's newest QEMU, on a native kernel.
. "$(dirname "$0")/../lib/prove.sh"
native_kernel
BOOT_PROGRAMS=qemu-system-x86_64 BOOT_PROGRAMS_ROOT=$cache/roots/qemu boot_with "$ko" qemu qemu-native
