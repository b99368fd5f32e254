#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# One test program, PROGRAM, with the module. `make try` runs this; it is not part of `make check`. HUGE=always allocates 2 MiB at a time.
. "$(dirname "$0")/../lib/prove.sh"
boot_program "$PROGRAM" "$ko" "try-$PROGRAM" ${HUGE:+"gmem_huge=$HUGE"}
