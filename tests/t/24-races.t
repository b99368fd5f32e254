#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Races, CPU by CPU: a seed, which is printed, determines how many instructions a CPU runs before the next
# CPU has its turn, how many CPUs there are, how the kernel preempts, whether files have folios of 2 MiB (HUGE sets
# that), and what the programs do. RACE_SEED sets the seed and RACE_SECONDS the duration, in seconds of the guest's
# clock, which counts instructions.
. "$(dirname "$0")/../lib/prove.sh"
seed=${RACE_SEED:-$((($(date +%s) * 32768 + RANDOM) % 1000000000))}
export BOOT_SECONDS=$((100 * ${RACE_SECONDS:-20})) BOOT_ICOUNT=$((1 + seed % 3)) BOOT_CPUS=$((1 + seed / 5 % 3))
preempts=(none voluntary full) words=(never always advise)
preempt=${preempts[seed / 15 % 3]} huge=${HUGE:-${words[seed / 45 % 3]}}
echo "# seed $seed: $((1 << BOOT_ICOUNT)) ns an instruction, $((2 * BOOT_CPUS)) CPUs, preempt=$preempt, huge=$huge"
boot_with "$ko" races races "race_seconds=${RACE_SECONDS:-20}" "race_seed=$seed" \
	"race_programs=${RACE_PROGRAMS:-race_contents,race_objects,race_private}" "preempt=$preempt" "gmem_huge=$huge"
