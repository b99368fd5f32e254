#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Sequences of calls, compared with a model. By default, the sequences are the same each time, so that a new
# failure is due to a change of the code. FUZZ_SECONDS draws new sequences for that time, from a random seed,
# which is printed. FUZZ_SEED and FUZZ_SEQUENCES set the seed and the number of sequences. FUZZ_REPLAY is a file with
# one sequence to run. With HUGE=always, advise or within_size, files are large enough for folios of 2 MiB.
. "$(dirname "$0")/../lib/prove.sh"
if [ -z "${FUZZ_SECONDS:-}" ]; then
	FUZZ_SEED=${FUZZ_SEED:-1}
	FUZZ_SEQUENCES=${FUZZ_SEQUENCES:-40}
fi
seconds=${FUZZ_SECONDS:-600}
export BOOT_SECONDS=$seconds
replay=
if [ -n "${FUZZ_REPLAY:-}" ]; then
	replay=$work/fuzz${HUGE:+-huge}/replay
	mkdir -p "${replay%/*}"
	cp "$FUZZ_REPLAY" "$replay"
fi
BOOT_FILES=$replay boot_with "$ko" fuzz "fuzz${HUGE:+-huge}" "fuzz_seconds=$seconds" "fuzz_seed=${FUZZ_SEED:-}" \
	"fuzz_sequences=${FUZZ_SEQUENCES:-}"
