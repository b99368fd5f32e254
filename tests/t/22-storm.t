#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Everything at once, from a random seed, which is printed. STORM_SECONDS sets the duration, STORM_SEED the seed.
. "$(dirname "$0")/../lib/prove.sh"
export BOOT_SECONDS=$((2 * ${STORM_SECONDS:-20}))
boot_with "$ko" storm storm "storm_seconds=${STORM_SECONDS:-20}" "storm_seed=${STORM_SEED:-}"
