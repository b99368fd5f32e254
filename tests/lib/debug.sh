# SPDX-License-Identifier: GPL-2.0-only
# A kernel that finds faults: Debian's linux-source-6.12, with KASAN, lockdep, kmemleak
# and others. Needs common.sh, packages.sh.

# debug_kernel: where it is, or will be. A change of the source or of its configuration
# makes another.
debug_kernel()
{
	local source key
	source=$(unpack bookworm-backports linux-source-6.12)
	key=$(cat "$top/tests/debug-kernel.config" - <<<"$source" | sha256sum | cut -c 1-12)
	echo "$cache/debug-kernel-$key"
}

# build_debug_kernel: does nothing if it is there.
build_debug_kernel()
{
	local dir source work
	dir=$(debug_kernel)
	if [ -e "$dir/.complete" ]; then
		return
	fi
	rm -rf "$cache"/debug-kernel-*
	source=$(unpack bookworm-backports linux-source-6.12)
	work=$dir/source
	mkdir -p "$work"
	tar -C "$work" --strip-components=1 -xJf "$source"/usr/src/linux-source-6.12.tar.xz
	make -C "$work" O="$dir/build" ARCH=x86_64 CC=gcc-12 KCONFIG_ALLCONFIG="$top/tests/debug-kernel.config" allnoconfig
	debug_options_missing "$dir/build/.config" && return 1
	make -C "$work" O="$dir/build" ARCH=x86_64 CC=gcc-12 -j"$(nproc)" bzImage modules
	touch "$dir/.complete"
}

# What was asked for and is not there: succeeds if there is any. Kconfig drops silently what
# depends on something else.
debug_options_missing()
{
	grep -E '^CONFIG_[A-Z0-9_]+=[ym0-9]+$' "$top/tests/debug-kernel.config" | grep -v '=n$' |
		grep -vxF -f "$1"
}
