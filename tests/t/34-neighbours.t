#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What VMs cost each other; the boot's clock counts instructions.
. "$(dirname "$0")/../lib/prove.sh"
BOOT_ICOUNT=0 boot_with "$ko" neighbours neighbours
