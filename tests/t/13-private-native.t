#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Private memory by policy on a native kernel, where it is all that the module does.
. "$(dirname "$0")/../lib/prove.sh"
native_kernel
boot_with "$ko" conformance private-native gmem_only=test_private
