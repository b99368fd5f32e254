#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The module on a native kernel, which has all that the module brings.
. "$(dirname "$0")/../lib/prove.sh"
kernel_use trixie-backports-7.3
work=$cache/work/$kernel_name
modules=$work/module
boot_with "$modules/kvm-gmem-numa.ko" aside aside-native
