#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A node that has movable memory only.
. "$(dirname "$0")/../lib/prove.sh"
BOOT_MOVABLE_MIB=256 boot_with "$ko" movable movable
