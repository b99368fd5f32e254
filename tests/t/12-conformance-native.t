#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The same programs on a kernel that has it all, without the module: what they ask
# for is what upstream does.
. "$(dirname "$0")/../lib/prove.sh"
native_kernel
boot_with - conformance conformance-native
