#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# One test program, PROGRAM, with the module. `make try` runs this; it is not part of `make check`.
. "$(dirname "$0")/../lib/prove.sh"
boot_program "$PROGRAM" "$ko" "try-$PROGRAM"
