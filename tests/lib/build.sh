# SPDX-License-Identifier: GPL-2.0-only
# Building what the booted kernels run. Needs common.sh, packages.sh, kernels.sh.

# build_module DIR [MAKE ARGUMENT...]: for the kernel in use, from a copy of the
# tree; prints nothing, leaves DIR/kvm-gmem-numa.ko.
build_module()
{
	local dir=$1
	shift
	mkdir -p "$dir"
	(cd "$top" && tar -c --exclude='*.ko' --exclude='*.o' --exclude='.*.cmd' \
		Kbuild dkms.conf src compat include) | tar -x -C "$dir"
	make -C "$kernel_build" M="$dir" CC=gcc-12 "$@" modules
}

# build_programs DIR: the test programs, static; against the headers of the
# newest 6.12, as Debian 12's own know no guest_memfd.
build_programs()
{
	local headers
	headers=$(unpack backports linux-libc-dev)
	make -C "$top/tests/programs" -j2 OUT="$1" HEADERS="$headers/usr/include"
}
