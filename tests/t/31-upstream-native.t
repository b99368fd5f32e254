#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The same binaries on native 7.3.
. "$(dirname "$0")/../lib/prove.sh"
kernel_use native
boot_with - upstream upstream-native
