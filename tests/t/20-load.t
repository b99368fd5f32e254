#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Load, refuse to load, unload.
. "$(dirname "$0")/../lib/prove.sh"
kernel_use debian12
boot_with "$work/module/kvm-gmem-numa.ko" load load
