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

# build_selftests DIR: upstream's own, from the sources of the newest 7.3 that
# Debian has. Prints nothing; does nothing if they are there.
upstream_selftests=(guest_memfd_test set_memory_region_test pre_fault_memory_test)
build_selftests()
{
	local out=$1 source work
	if [ -e "$out/.complete" ]; then
		return
	fi
	source=$(unpack trixie-backports linux-source-7.3)
	work=$(mktemp -d "$cache/selftests.XXXXXX")
	tar -C "$work" --strip-components=1 -xJf "$source"/usr/src/linux-source-7.3.tar.xz
	make -C "$work" -j2 headers_install INSTALL_HDR_PATH="$work/usr"
	mkdir -p "$out"
	make -C "$work/tools/testing/selftests/kvm" -j2 OUTPUT="$out" ARCH=x86_64 \
		LDFLAGS="-static -pthread -no-pie" "${upstream_selftests[@]/#/$out/}"
	# Two parts of them never end on 6.12, module or not, because it lacks
	# fixes that came later: MMIO during vectoring on AMD (6.14), and a slot
	# deleted while it is pre-faulted (6.17). For 6.12, the rest.
	cd "$work/tools/testing/selftests/kvm"
	sed -i '/^\ttest_mmio_during_vectoring();$/d' set_memory_region_test.c
	sed -i -e '/^\tvm_mem_region_delete(/d' \
		-e '/^\tvm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, data->gpa,$/,/;$/d' pre_fault_memory_test.c
	make OUTPUT="$out/6.12" ARCH=x86_64 LDFLAGS="-static -pthread -no-pie" \
		"$out/6.12/set_memory_region_test" "$out/6.12/pre_fault_memory_test"
	mv "$out/6.12/set_memory_region_test" "$out/set_memory_region_test-6.12"
	mv "$out/6.12/pre_fault_memory_test" "$out/pre_fault_memory_test-6.12"
	cd "$top"
	rm -rf "$work" "$out/6.12"
	touch "$out/.complete"
}
