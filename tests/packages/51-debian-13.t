#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Debian 13: its kernel is upgraded within 6.12, and then to the native kernel from backports.
. "$(dirname "$0")/../lib/lifecycle.sh"
of_distribution debian13

system_new d13 trixie
old=$(system_kernels d13)
inventory d13 >"$systems/d13.before"
point "$old" "apt install" installs d13 "$old" "$deb"
point "$old" "dkms built it" built d13 "$version" "$old"

life d13 "$old"

system_fork d13-6.12 d13
point "$old" "apt upgrade, to a newer 6.12" apt_get d13-6.12 "$old" install linux-image-amd64 linux-headers-amd64
new=$(system_kernels d13-6.12 | tail -n 1)
point "$new" "dkms built it with the kernel" built d13-6.12 "$version" "$old" "$new"
boots d13-6.12 "$new" active
point "$new" "apt purge of the older kernel" apt_get d13-6.12 "$new" purge "linux-image-$old" "linux-headers-$old"
point "$new" "dkms has it for the newer only" built d13-6.12 "$version" "$new"
point "$old" "nothing is left behind in /lib/modules" no_modules d13-6.12 "$old"

system_fork d13-7 d13-6.12
point "$new" "kernel from backports" apt_get d13-7 "$new" install -t trixie-backports \
	linux-image-amd64 linux-headers-amd64
native=$(system_kernels d13-7 | tail -n 1)
point "$native" "dkms built it with the kernel" built d13-7 "$version" "$new" "$native"
boots d13-7 "$native" native

system_drop d13-7 d13-6.12 d13
rm -f "$systems/d13.before"
plan
