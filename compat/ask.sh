#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# ask.sh KERNEL_SOURCE_DIR: what dkms runs before a build, where the build is to be. It asks
# this kernel what it has, as probe.mk does, and the build keeps the answers. If the kernel is
# not supported, whoever waits for dkms is told why: the build itself tells make.log alone.

# The process that is dkms, and not a part of it.
dkms_pid()
{
	pid=$PPID
	while parent=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status") &&
		[ "$(cat "/proc/$parent/comm")" = dkms ]; do
		pid=$parent
	done 2>/dev/null
	echo "$pid"
}

# As dkms builds: kernels that clang built, with clang.
llvm=
! grep -qsx CONFIG_CC_IS_CLANG=y "$1/include/config/auto.conf" "$1/.config" || llvm=LLVM=1

# Whatever is made, the answers are made first.
log=compat/ask.log
# shellcheck disable=SC2086 # a word or none
make -C "$1" M="$PWD" $llvm src/symbol/symbol.i >$log 2>&1 && exit

reason=$(sed -n 's/.*\(kvm-gmem-numa: this kernel .*\)/\1/p' $log | sort -u)
theirs=/proc/$(dkms_pid)/fd/2
if [ "$(readlink "$theirs")" = "$(readlink /proc/self/fd/2)" ]; then
	[ -z "$reason" ] || echo "$reason" >&2
else
	# From dkms 3.2 on, what is printed here goes into make.log. A file would be written to
	# from another offset than dkms itself does; apt and dpkg have a terminal or a pipe.
	cat $log
	if [ -n "$reason" ] && { [ -p "$theirs" ] || [ -c "$theirs" ]; }; then
		printf "\n%s\n" "$reason" >"$theirs"
	fi
fi
exit 1
