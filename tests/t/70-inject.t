#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Each allocation fails in turn; of a load, one in INJECT_STRIDE. For the debug kernel.
. "$(dirname "$0")/../lib/prove.sh"
# What core mm says when a page fault finds no memory, and tries again; and the module loader.
BOOT_EXPECTED="Huh VM_FAULT_OOM|jump_label_module_notify"
export BOOT_TIMEOUT=480
boot_with "$ko" inject inject "inject_stride=${INJECT_STRIDE:-5}"
