#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The build, and what is in the module that it makes.
. "$(dirname "$0")/../lib/prove.sh"
kernel_use debian12

ko=$work/module/kvm-gmem-numa.ko
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$top/dkms.conf")

# A retpoline or a call through a register or memory, by function.
indirect_calls()
{
	objdump -dr --no-show-raw-insn "$1" |
		awk '/^[0-9a-f]+ <.*>:$/ { f = $2 } /__x86_indirect_(thunk|call|jump)|(call|jmp) +\*/ { print f, $0 }'
}

has_indirect_calls()
{
	[ "$(indirect_calls "$1" | wc -l)" -gt 100 ]
}

build_says()
{
	build_module "$work/build-$1" "${@:2}" >"$work/build-$1.log" 2>&1
	grep -E 'warning|error' "$work/build-$1.log"
}

in_tree()
{
	rm -rf "$work/in-tree"
	copy_tree "$work/in-tree"
	cp "$top/Makefile" "$work/in-tree/"
	make -C "$work/in-tree" KDIR="$kernel_build" CC=gcc-12 || return
	test -s "$work/in-tree/kvm-gmem-numa.ko" || return
	make -C "$work/in-tree" KDIR="$kernel_build" clean || return
	test ! -e "$work/in-tree/kvm-gmem-numa.ko"
}

unsupported()
{
	local out
	rm -rf "$work/unsupported"
	copy_tree "$work/unsupported"
	sed -i 's/KERNEL_VERSION(6, 12, 0)/KERNEL_VERSION(6, 12, 255)/' "$work/unsupported/compat/supported.h"
	out=$(make -C "$kernel_build" M="$work/unsupported" CC=gcc-12 modules 2>&1) && return 1
	grep -q 'error.*kvm-gmem-numa: this kernel is not supported' <<<"$out"
}

silent "builds without a warning under W=1" build_says w1 W=1
silent "sparse has nothing to say" build_says sparse C=2
check "make and make clean work in the tree" in_tree
check "a kernel that is not supported fails to build with one line that says so" unsupported
silent "no indirect call in the module" indirect_calls "$ko"
xz -dc "$kernel_root/lib/modules/$kernel_release/kernel/arch/x86/kvm/kvm.ko.xz" >"$work/kvm.ko"
check "and in kvm.ko they would be found" has_indirect_calls "$work/kvm.ko"
check "the module's version is that of dkms.conf" test "$(modinfo -F version "$ko")" = "$version"
check "the module depends on kvm alone" test "$(modinfo -F depends "$ko")" = kvm
check "its license is GPL" test "$(modinfo -F license "$ko")" = GPL
check "dkms.conf takes this kernel" \
	grep -qE "$(sed -n 's/^BUILD_EXCLUSIVE_KERNEL="\(.*\)"/\1/p' "$top/dkms.conf")" <<<"$kernel_release"
plan
