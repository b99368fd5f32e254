#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Sequences of calls beside a model: the same ones each time, so that a change is judged by
# what it changes. FUZZ_SECONDS draws new ones for so long, from a random seed, which is
# printed; FUZZ_SEED and FUZZ_SEQUENCES choose. FUZZ_REPLAY is a file with one sequence to run.
. "$(dirname "$0")/../lib/prove.sh"
if [ -z "${FUZZ_SECONDS:-}" ]; then
	FUZZ_SEED=${FUZZ_SEED:-1}
	FUZZ_SEQUENCES=${FUZZ_SEQUENCES:-40}
fi
seconds=${FUZZ_SECONDS:-600}
export BOOT_TIMEOUT=$((seconds + 240))
replay=
if [ -n "${FUZZ_REPLAY:-}" ]; then
	replay=$work/replay
	cp "$FUZZ_REPLAY" "$replay"
fi
BOOT_FILES=$replay boot_with "$ko" fuzz fuzz "fuzz_seconds=$seconds" "fuzz_seed=${FUZZ_SEED:-}" \
	"fuzz_sequences=${FUZZ_SEQUENCES:-}"
