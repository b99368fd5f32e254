#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The build, and what is in the module that it makes.
. "$(dirname "$0")/../lib/prove.sh"

version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$top/dkms.conf")

# Every retpoline, and every call through a register or memory, with the function that has it.
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
	rm -rf "$work/build-$1"
	build_module "$work/build-$1" "${@:2}" >"$work/build-$1.log" 2>&1
	grep -E 'warning|error' "$work/build-$1.log"
}

# make clean leaves exactly the files that were there before the build.
in_tree()
{
	local dir=$work/in-tree
	rm -rf "$dir"
	copy_tree "$dir"
	cp "$top/Makefile" "$dir/"
	(cd "$dir" && find . -type f | sort) >"$work/in-tree.before"
	make -C "$dir" KDIR="$kernel_build" "${kernel_make[@]}" || return
	test -s "$dir/kvm-gmem-numa.ko" || return
	make -C "$dir" KDIR="$kernel_build" "${kernel_make[@]}" clean || return
	(cd "$dir" && find . -type f | sort) | diff "$work/in-tree.before" -
}

# What the build prints to standard error about an interface that the source does not know.
unknown_says()
{
	rm -rf "$work/unknown"
	copy_tree "$work/unknown"
	sed -i "$unknown_interface" "$work/unknown/compat/probes/KVM_GFN_RANGE_ATTR_FILTER.c"
	kernel_make "$work/unknown" modules 2>"$work/unknown.log" >/dev/null && echo built
}

# says_only LOG REASON: a build said that, and nothing else.
says_only()
{
	# make adds that an included file could not be made.
	[ "$(grep -v -e '^make' -e 'have.mk: No such file' "$1")" = \
		"kvm-gmem-numa: this kernel is not supported: $2; a newer kvm-gmem-numa may know it" ] || {
		cat "$1"
		return 1
	}
}

one_line_for_unknown()
{
	unknown_says
	says_only "$work/unknown.log" \
		"struct kvm_gfn_range: which mappings to zap (dca6c8853232, 6.14, in 6.12-stable since)"
}

# Print how many probes a build runs. A second build runs none, and a build with other flags runs all of them.
probes_run()
{
	kernel_make "$work/probes" "$@" modules 2>/dev/null | grep -c '^  PROBE'
}

probes_run_when_needed()
{
	local n
	n=$(find "$top/compat/probes" -name '*.c' | wc -l)
	rm -rf "$work/probes"
	copy_tree "$work/probes"
	[ "$(probes_run)" -eq "$n" ] && [ "$(probes_run)" -eq 0 ] && [ "$(probes_run KCFLAGS=-DOTHER)" -eq "$n" ]
}

# After the probes have run, in the same tree: the module refers to a function that no kernel exports.
one_line_for_unexported()
{
	sed -i 's/kvm_put_kvm/kvm_not_exported/; s/^static void (\*const needs_kvm)/void kvm_not_exported(struct kvm *kvm);\n&/' \
		"$work/probes/src/main.c"
	kernel_make "$work/probes" KCFLAGS=-DOTHER modules 2>"$work/unexported.log" >/dev/null && echo built
	says_only "$work/unexported.log" "it does not export kvm_not_exported"
}

silent "builds without a warning under W=1" build_says w1 W=1
[ -n "$kernel_chroot" ] || silent "sparse has nothing to say" build_says sparse C=2
[ -n "$kernel_chroot" ] || check "make and make clean leave the tree as it was" in_tree
if grep -q '^HAVE_NATIVE_POLICY' "$work/module/compat/have.mk"; then
	check "an unknown interface does not matter where the kernel has the policy itself" unknown_says
else
	check "for an unknown kernel the build fails, with one line that says what is new" one_line_for_unknown
fi
[ -n "$kernel_chroot" ] || check "probes run once, and again when the compiler's flags change" probes_run_when_needed
[ -n "$kernel_chroot" ] || check "what the kernel does not export is named in one line" one_line_for_unexported
silent "no indirect call in the module" indirect_calls "$ko"
kvm=
if kernel_has KVM=m; then
	kvm=kvm
	kernel_module "$kernel_root/lib/modules/$kernel_release"/kernel/arch/x86/kvm/kvm.ko* >"$work/kvm.ko"
	check "the same check finds the indirect calls in kvm.ko" has_indirect_calls "$work/kvm.ko"
fi
check "the module's version is that of dkms.conf" test "$(modinfo -F version "$ko")" = "$version"
check "the module depends on kvm alone" test "$(modinfo -F depends "$ko")" = "$kvm"
check "its license is GPL" test "$(modinfo -F license "$ko")" = GPL
check "dkms.conf accepts this kernel" \
	grep -qE "$(sed -n 's/^BUILD_EXCLUSIVE_KERNEL="\(.*\)"/\1/p' "$top/dkms.conf")" <<<"$kernel_release"
plan
