#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The same binaries on a native kernel, without the module.
. "$(dirname "$0")/../lib/prove.sh"
native_kernel
export BOOT_ICOUNT=4
boot_with - upstream upstream-native
