#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The same with shadow paging. The kernel is told not to clear pages when it
# allocates them, so that a page which the module forgot to clear shows.
. "$(dirname "$0")/../lib/prove.sh"
boot_with "$ko" conformance conformance-shadow kvm_amd.npt=0 init_on_alloc=0
