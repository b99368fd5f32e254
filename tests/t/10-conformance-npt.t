#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Our tests on Debian 12's 6.12 with the module, with nested paging.
. "$(dirname "$0")/../lib/prove.sh"
kernel_use debian12
boot_with "$work/module/kvm-gmem-numa.ko" conformance conformance-npt
