#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# VMs that do not use the module, while it is loaded and unloaded BYSTANDER_CYCLES times. Time is
# counted in instructions, so how long a guest's run takes does not depend on what else this
# machine does.
. "$(dirname "$0")/../lib/prove.sh"
cycles=${BYSTANDER_CYCLES:-10}
export BOOT_ICOUNT=4 BOOT_SECONDS=$((60 * cycles))
mkdir -p "$work/stripped"
strip -g -o "$work/stripped/kvm-gmem-numa.ko" "$ko"
boot_with "$work/stripped/kvm-gmem-numa.ko" bystanders bystanders "bystander_cycles=$cycles" "bystander_ms=500"
