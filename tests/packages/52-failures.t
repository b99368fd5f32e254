#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The module cannot be built, for a kernel that the source does not know, or because headers are missing. The
# system boots nevertheless.
. "$(dirname "$0")/../lib/lifecycle.sh"
of_distribution debian12

# A field that the source looks for gets a name that is neither its old name nor its new one.
unknown_headers()
{
	with_system "$1" sh -c 'sed -i "s/\berror_remove_\(page\|folio\)\b/error_remove_other/" \
		"$root"/usr/src/linux-headers-*-common*/include/linux/fs.h'
}

fails()
{
	! "$@"
}

# names_cause NAME: one of the last 15 lines says which interface of the kernel is unknown.
names_cause()
{
	tail -n 5 "$systems/$1/apt.log"
	grep -v '^$' "$systems/$1/apt.log" | tail -n 15 |
		grep -q 'kvm-gmem-numa: this kernel is not supported: the callback for a page whose memory has failed'
}

system_new unknown bookworm
kernel=$(system_kernels unknown)
unknown_headers unknown
point "$kernel, changed" "apt install fails" fails installs unknown "$kernel" "$deb"
point "$kernel, changed" "the end of its output names the cause" names_cause unknown
boots unknown "$kernel" absent
system_drop unknown

system_new headless bookworm
point "$kernel, no headers" "no headers" apt_get headless "$kernel" purge linux-headers-amd64 \
	"linux-headers-$kernel" "linux-headers-*-common"
point "$kernel, no headers" "apt install" installs headless "$kernel" "$deb"
boots headless "$kernel" absent
point "$kernel, no headers" "the headers are installed" apt_get headless "$kernel" install linux-headers-amd64
point "$kernel" "dkms built it with the headers" built headless "$version" "$kernel"
system_drop headless
plan
