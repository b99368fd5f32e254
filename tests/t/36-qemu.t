#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A SEV-SNP guest of QEMU, the binary that Debian ships.
. "$(dirname "$0")/../lib/prove.sh"
[ -e "$modules/private_mem.ko" ] || {
	echo "1..0 # SKIP no VM can have private memory on this kernel"
	exit
}
BOOT_PROGRAMS=qemu-system-x86_64 boot_with "$ko" qemu qemu
