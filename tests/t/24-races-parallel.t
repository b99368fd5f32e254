#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Races on CPUs that run in parallel, each as a thread of QEMU. No text is patched while several CPUs are
# online; see guest/races.sh. RACE_SECONDS and RACE_SEED are the same as in 24-races.t.
. "$(dirname "$0")/../lib/prove.sh"
seed=${RACE_SEED:-$((($(date +%s) * 32768 + RANDOM) % 1000000000))}
export BOOT_THREADS=multi BOOT_SECONDS=$((4 * ${RACE_SECONDS:-20}))
preempts=(none voluntary full) words=(never always advise)
preempt=${preempts[seed / 15 % 3]} huge=${HUGE:-${words[seed / 45 % 3]}}
echo "# seed $seed: preempt=$preempt, huge=$huge"
boot_with "$ko" races races-parallel maxcpus=1 "race_seconds=${RACE_SECONDS:-20}" "race_seed=$seed" \
	"race_programs=${RACE_PROGRAMS:-race_contents,race_objects,race_private,storm}" "preempt=$preempt" "gmem_huge=$huge"
