#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Each allocation fails in turn; while the module is loaded, one in INJECT_STRIDE. For the debug kernel.
. "$(dirname "$0")/../lib/prove.sh"
# Core mm logs the first when a page fault finds no memory, and then retries the fault. The others are in
# warnings of the kernel's module loader.
BOOT_EXPECTED="Huh VM_FAULT_OOM|jump_label_module_notify|jump_label_del_module"
boot_with "$ko" inject inject "inject_stride=${INJECT_STRIDE:-5}"
