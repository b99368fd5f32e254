#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Upstream's selftests with the module. The boot's clock counts instructions, so that whether a test ends in time does
# not depend on how busy this machine is.
. "$(dirname "$0")/../lib/prove.sh"
export BOOT_ICOUNT=4
boot_with "$ko" upstream upstream
