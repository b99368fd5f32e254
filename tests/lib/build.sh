# SPDX-License-Identifier: GPL-2.0-only
# Building what the booted kernels run. Needs common.sh, packages.sh, kernels.sh.

# copy_tree DIR: what a build of the module needs.
copy_tree()
{
	mkdir -p "$1"
	(cd "$top" && tar -c --exclude='*.ko' --exclude='*.o' --exclude='.*.cmd' \
		Kbuild dkms.conf src compat include) | tar -x -C "$1"
}

# build_module DIR [MAKE ARGUMENT...]: for the kernel in use, from a copy of the
# tree; leaves DIR/kvm-gmem-numa.ko.
build_module()
{
	local dir=$1
	shift
	copy_tree "$dir"
	make -C "$kernel_build" M="$dir" CC=gcc-12 -j2 "$@" modules
}

# build_variant OUT FILE SED_SCRIPT: the module with a fault put into FILE.
build_variant()
{
	local out=$1 file=$2 script=$3 dir
	dir=$(mktemp -d "$cache/variant.XXXXXX")
	copy_tree "$dir"
	sed -i -e "$script" "$dir/$file"
	! cmp -s "$dir/$file" "$top/$file" || die "the fault for $out changes nothing in $file"
	make -C "$kernel_build" M="$dir" CC=gcc-12 -j2 modules || return
	mv "$dir/kvm-gmem-numa.ko" "$out" || return
	rm -rf "$dir"
}

# build_load_variants DIR: modules and helpers for guest/load.sh.
build_load_variants()
{
	local dir=$1 ko=$1/kvm-gmem-numa.ko
	perl -pe 's/kvm_gmem_create\0/kvm_gmem_creatX\0/g' "$ko" >"$dir/no-hook.ko"
	perl -pe 's/\0mpol_set_shared_policy\0/\0mpol_set_shared_policX\0/g' "$ko" >"$dir/no-symbol.ko"
	# Nobody is the prover, so no proof succeeds; or is taken to have.
	build_variant "$dir/silent.ko" src/redirect/redirect.c 's/WRITE_ONCE(r->prover, current);//'
	build_variant "$dir/canaries.ko" src/redirect/redirect.c \
		's/WRITE_ONCE(r->prover, current);/WRITE_ONCE(redirect_fired, true);/'
	rm -rf "$dir/kmod"
	cp -r "$top/tests/kmod" "$dir/kmod"
	make -C "$kernel_build" M="$dir/kmod" CC=gcc-12 modules
	cp "$dir/kmod/rival.ko" "$dir/"
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
	cp "$work"/scripts/{checkpatch.pl,spelling.txt,const_structs.checkpatch} "$out/"
	rm -rf "$work" "$out/6.12"
	touch "$out/.complete"
}

