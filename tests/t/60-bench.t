#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The module is not slower than promised: instructions per page against native 7.3 and memfd, in one run;
# with 2 MiB folios, against hugetlb.
. "$(dirname "$0")/../lib/prove.sh"
. "$top/tests/lib/bench.sh"
bench=$work/bench
bench_quick "$kernel" "$ko" >&2
bench_report limits ours ours-huge native native-ours plain
