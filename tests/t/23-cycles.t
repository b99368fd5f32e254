#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Load and unload, again and again, with calls in flight. With CYCLES=1000, this takes an hour or
# two. Time is counted in instructions, so that waiting for grace periods takes no real time.
. "$(dirname "$0")/../lib/prove.sh"
export BOOT_ICOUNT=4 BOOT_SECONDS=$((60 * ${CYCLES:-20}))
mkdir -p "$work/stripped"
strip -g -o "$work/stripped/kvm-gmem-numa.ko" "$ko"
boot_with "$work/stripped/kvm-gmem-numa.ko" cycles cycles "cycles=${CYCLES:-20}"
