# SPDX-License-Identifier: GPL-2.0-only
# Upstream's KVM selftests of 6.12, all of them. Needs common.sh, packages.sh.

selftests_612=$cache/selftests-6.12

# build_selftests_612: build them into the cache, statically linked, stripped, in one folder. Does nothing if they
# have been built.
#
# Two loops that have no parameter are shortened in the source, because they run for most of an hour under
# emulation. The arguments in tests/selftests-6.12 shorten everything else.
build_selftests_612()
{
	local out=$selftests_612 headers source work kvm
	if [ -e "$out/.complete" ]; then
		return
	fi
	rm -rf "$out"
	mkdir -p "$out"
	headers=$(unpack bookworm-backports linux-libc-dev)/usr/include
	source=$(unpack bookworm-backports linux-source-6.12)/usr/src/linux-source-6.12.tar.xz
	work=$(mktemp -d "$cache/selftests.XXXXXX")
	kvm=$work/tools/testing/selftests/kvm
	tar -C "$work" --strip-components=1 -xJf "$source" \
		linux-source-6.12/{lib/rbtree.c,scripts} linux-source-6.12/tools/{arch,build,include,lib,scripts} \
		linux-source-6.12/tools/testing/selftests/{kselftest.h,kselftest_harness.h,kvm,lib.mk,rseq}
	shorten "$kvm/hardware_disable_test.c" 's/^#define FORK_NUM .*/#define FORK_NUM 8ULL/'
	shorten "$kvm/rseq_test.c" 's/^#define NR_TASK_MIGRATIONS .*/#define NR_TASK_MIGRATIONS 2000/'
	make -C "$kvm" -j2 OUTPUT="$work/out" ARCH=x86_64 LDFLAGS="-static -pthread -no-pie" \
		KHDR_INCLUDES="-isystem $headers -isystem $headers/x86_64-linux-gnu"
	find "$work/out" -type f -executable -exec strip -g {} + -exec mv -t "$out" {} +
	rm -rf "$work"
	touch "$out/.complete"
}

# shorten FILE SED_SCRIPT: edit the file; fail if the script changes nothing.
shorten()
{
	cp "$1" "$1.orig"
	sed -i -e "$2" "$1"
	! cmp -s "$1" "$1.orig" || die "$2 changes nothing in $1"
	rm "$1.orig"
}

# selftests_list: print the programs that were built.
selftests_list()
{
	find "$selftests_612" -type f -executable -printf '%f\n' | LC_ALL=C sort
}
