#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Our own tests with the module, with nested paging.
. "$(dirname "$0")/../lib/prove.sh"
boot_with "$ko" conformance conformance-npt
