#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Load before the part of KVM that knows the CPU.
. "$(dirname "$0")/../lib/prove.sh"
kernel_has KVM_AMD=m || {
	echo "1..0 # SKIP kvm-amd is built in"
	exit
}
boot_with "$ko" early early gmem_early=1
