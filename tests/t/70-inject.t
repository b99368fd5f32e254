#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Each allocation fails in turn. For the debug kernel.
. "$(dirname "$0")/../lib/prove.sh"
boot_with "$ko" inject inject
