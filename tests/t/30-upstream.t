#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Upstream's selftests on Debian 12's 6.12 with the module.
. "$(dirname "$0")/../lib/prove.sh"
kernel_use debian12
boot_with "$work/module/kvm-gmem-numa.ko" upstream upstream
