#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Debian 12, with its own kernel and with the kernel from backports.
. "$(dirname "$0")/../lib/lifecycle.sh"
of_distribution debian12

system_new d12 bookworm
old=$(system_kernels d12)
inventory d12 >"$systems/d12.before"
point "$old" "apt install" installs d12 "$old" "$deb"
point "$old" "dkms built it" built d12 "$version" "$old"
system_files+=("$deb_next")
boots d12 "$old" active
unset "system_files[-1]"
boots d12 "$old" absent modprobe.blacklist=kvm_gmem_numa

life d12 "$old"

system_fork d12-6.12 d12
point "$old" "kernel from backports" apt_get d12-6.12 "$old" install -t bookworm-backports \
	linux-image-amd64 linux-headers-amd64
new=$(system_kernels d12-6.12 | tail -n 1)
point "$new" "dkms built it with the kernel" built d12-6.12 "$version" "$old" "$new"
boots d12-6.12 "$new" active

system_drop d12-6.12 d12
rm -f "$systems/d12.before"
plan
