#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The module on a kernel that needs little of it, or nothing.
. "$(dirname "$0")/../lib/prove.sh"
boot_with "$ko" aside aside
