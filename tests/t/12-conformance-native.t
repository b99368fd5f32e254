#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The same programs on a native kernel, without the module. This shows that they expect
# what upstream does.
. "$(dirname "$0")/../lib/prove.sh"
native_kernel
boot_with - conformance conformance-native
