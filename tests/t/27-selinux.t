#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# SELinux labels a guest_memfd, and can refuse its creation.
. "$(dirname "$0")/../lib/prove.sh"
kernel_has SECURITY_SELINUX=y || {
	echo "1..0 # SKIP a kernel without SELinux"
	exit
}
mkdir -p "$work/selinux"
checkpolicy -U allow -o "$work/selinux/policy" "$top/tests/selinux/policy.conf" >&2
boot_with "$ko" selinux selinux security=selinux selinux=1
