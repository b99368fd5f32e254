#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Load, refuse to load, unload.
. "$(dirname "$0")/../lib/prove.sh"
boot_with "$ko" load load
