#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Upstream's selftests with the module.
. "$(dirname "$0")/../lib/prove.sh"
BOOT_TIMEOUT=600
boot_with "$ko" upstream upstream
