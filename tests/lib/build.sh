# SPDX-License-Identifier: GPL-2.0-only
# Build what the booted kernels run. Needs common.sh, packages.sh, kernels.sh.

# copy_tree DIR: copy what a build of the module needs.
copy_tree()
{
	mkdir -p "$1"
	(cd "$top" && tar -c --exclude='*.ko' --exclude='*.o' --exclude='.*.cmd' \
		Kbuild dkms.conf src compat include) | tar -x -C "$1"
}

# kcov_argument: an argument for make, if the kernel has KCOV and so can tell the fuzzer which code of the module ran.
kcov_argument()
{
	! grep -qx CONFIG_KCOV=y "$kernel_build/include/config/auto.conf" || echo KCOV_INSTRUMENT=y
}

# build_module DIR [MAKE ARGUMENT...]: build the module for the kernel in use, from a copy of the
# tree; the result is DIR/kvm-gmem-numa.ko.
build_module()
{
	local dir=$1
	shift
	copy_tree "$dir"
	# shellcheck disable=SC2046 # a word or none
	kernel_make "$dir" $(kcov_argument) "$@" modules
}

# build_variant OUT FILE[,FILE...] SED_SCRIPT [MAKE ARGUMENT...]: build the module with a fault
# put into the files.
build_variant()
{
	local out=$1 files=${2//,/ } script=$3 dir file
	shift 3
	dir=$(mktemp -d "$cache/variant.XXXXXX")
	copy_tree "$dir"
	for file in $files; do
		sed -i -e "$script" "$dir/$file"
		! cmp -s "$dir/$file" "$top/$file" || die "the fault for $out changes nothing in $file"
	done
	kernel_make "$dir" "$@" modules || return
	mv "$dir/kvm-gmem-numa.ko" "$out" || return
	rm -rf "$dir"
}

# build_load_variants DIR: build the modules and helpers for guest/load.sh.
build_load_variants()
{
	local dir=$1 ko=$1/kvm-gmem-numa.ko
	perl -pe 's/kvm_vm_ioctl\0/kvm_vm_ioctX\0/g' "$ko" >"$dir/no-hook.ko"
	perl -pe 's/\0mpol_set_shared_policy\0/\0mpol_set_shared_policX\0/g' "$ko" >"$dir/no-symbol.ko"
	# Redirects a function that only a table of operations leads to, in place of one that KVM calls.
	perl -pe 's/\0kvm_arch_free_memslot\0/\0kvm_vm_release\0\0\0\0\0\0\0\0/g' "$ko" >"$dir/uncalled.ko"
	# With no prover set, the calls that prove redirects reach the originals. silent.ko takes that for a redirect
	# that does not fire, and canaries.ko for one that does.
	build_variant "$dir/silent.ko" src/redirect/redirect.c 's/WRITE_ONCE(r->prover, current);//'
	build_variant "$dir/canaries.ko" src/redirect/redirect.c \
		's/WRITE_ONCE(r->prover, current);/WRITE_ONCE(redirect_fired, true);/'
	# This module takes the CPU for one that enforces IBT, which no emulator does.
	build_variant "$dir/ibt.ko" src/redirect/redirect.c 's/cpu_feature_enabled(X86_FEATURE_IBT)/true/'
	# This build takes the kernel for one that the source does not know.
	build_variant "$dir/forced.ko" compat/probes/KVM_GFN_RANGE_ATTR_FILTER.c "$unknown_interface" GMEM_FORCE=1
	build_helpers "$dir"
}

# Makes a probe find neither the interface of newer kernels nor that of older ones.
unknown_interface='s/attr_filter = KVM_FILTER_SHARED/no_such_field = 0/; s/, attr_filter));/, start));/'

# build_helpers DIR: build the modules that help tests, as far as this kernel has a use for them.
build_helpers()
{
	local dir=$1
	rm -rf "$dir/kmod"
	cp -r "$top/tests/kmod" "$dir/kmod"
	kernel_make "$dir/kmod" modules
	cp "$dir"/kmod/*.ko "$dir/"
}

# build_programs DIR: build the test programs, statically linked, against the headers of the newest
# 6.12, because Debian 12's own headers lack guest_memfd.
build_programs()
{
	local headers
	headers=$(unpack bookworm-backports linux-libc-dev)
	make -C "$top/tests/programs" -j2 OUT="$1" HEADERS="$headers/usr/include"
}

# build_selftests DIR: build upstream's selftests from the sources of the newest 7.3 that
# Debian has. Does nothing if they have been built.
upstream_selftests=(guest_memfd_test set_memory_region_test pre_fault_memory_test x86/private_mem_conversions_test
	x86/private_mem_kvm_exits_test)
build_selftests()
{
	local out=$1 source work
	if [ -e "$out/.complete.3" ]; then
		return
	fi
	rm -rf "$out"
	source=$(unpack trixie-backports linux-source-7.3)
	work=$(mktemp -d "$cache/selftests.XXXXXX")
	tar -C "$work" --strip-components=1 -xJf "$source"/usr/src/linux-source-7.3.tar.xz
	make -C "$work" -j2 headers_install INSTALL_HDR_PATH="$work/usr"
	mkdir -p "$out"
	make -C "$work/tools/testing/selftests/kvm" -j2 OUTPUT="$out" ARCH=x86_64 \
		LDFLAGS="-static -pthread -no-pie" "${upstream_selftests[@]/#/$out/}"
	mv "$out"/x86/private_mem_*_test "$out"
	# Two parts of them never end on older kernels, with or without the module, because the
	# fixes came later: MMIO during vectoring on AMD (6.14), and a slot that is deleted while
	# it is pre-faulted (6.17). The -rest variants omit these parts, for those kernels.
	cd "$work/tools/testing/selftests/kvm"
	sed -i '/^\ttest_mmio_during_vectoring();$/d' set_memory_region_test.c
	sed -i -e '/^\tvm_mem_region_delete(/d' \
		-e '/^\tvm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, data->gpa,$/,/;$/d' pre_fault_memory_test.c
	make OUTPUT="$out/rest" ARCH=x86_64 LDFLAGS="-static -pthread -no-pie" \
		"$out/rest/set_memory_region_test" "$out/rest/pre_fault_memory_test"
	mv "$out/rest/set_memory_region_test" "$out/set_memory_region_test-rest"
	mv "$out/rest/pre_fault_memory_test" "$out/pre_fault_memory_test-rest"
	cd "$top"
	cp "$work"/scripts/{checkpatch.pl,spelling.txt,const_structs.checkpatch} "$out/"
	rm -rf "$work" "$out/rest"
	touch "$out/.complete.3"
}

