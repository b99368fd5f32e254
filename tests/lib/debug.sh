# SPDX-License-Identifier: GPL-2.0-only
# Debug kernels, which find faults: Debian's linux-source-6.12 with the configuration in debug-kernel/.
# Needs common.sh, packages.sh.

# debug_config kasan|kcsan: print the options of that kernel.
debug_config()
{
	grep -h '^CONFIG_' "$top/tests/debug-kernel/base.config" "$top/tests/debug-kernel/$1.config"
}

# debug_kernel kasan|kcsan: print the directory where that kernel is or will be built. Another source or another
# configuration has another directory.
debug_kernel()
{
	local source key
	source=$(unpack bookworm-backports linux-source-6.12)
	key=$(debug_config "$1" | cat - <(basename "$source") | sha256sum | cut -c 1-12)
	echo "$cache/debug-kernel-$1-$key"
}

# build_debug_kernel kasan|kcsan: build that kernel, unless it has been built.
build_debug_kernel()
{
	local dir source work
	dir=$(debug_kernel "$1")
	if [ -e "$dir/.complete" ]; then
		return
	fi
	rm -rf "$cache/debug-kernel-$1"-*
	source=$(unpack bookworm-backports linux-source-6.12)
	work=$dir/source
	mkdir -p "$work"
	tar -C "$work" --strip-components=1 -xJf "$source"/usr/src/linux-source-6.12.tar.xz
	debug_config "$1" >"$dir/config"
	make -C "$work" O="$dir/build" ARCH=x86_64 CC=gcc-12 KCONFIG_ALLCONFIG="$dir/config" allnoconfig
	debug_options_missing "$dir/config" "$dir/build/.config" && return 1
	make -C "$work" O="$dir/build" ARCH=x86_64 CC=gcc-12 -j"$(nproc)" bzImage modules
	touch "$dir/.complete"
}

# debug_options_missing ASKED GOT: print the options that were asked for and are not set, and succeed if there are
# any. Kconfig silently drops options whose dependencies are missing.
debug_options_missing()
{
	grep -E '^CONFIG_[A-Z0-9_]+=[ym0-9]+$' "$1" | grep -v '=n$' | grep -vxF -f "$2"
}
