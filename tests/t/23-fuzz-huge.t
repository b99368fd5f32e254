#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# 23-fuzz.t with folios of 2 MiB. HUGE says how they are asked for.
HUGE=${HUGE:-always} exec "$(dirname "$0")/23-fuzz.t"
