#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# ask.sh KERNEL_SOURCE_DIR: run by dkms before a build, in the build directory. It runs the probes
# of probe.mk on this kernel, and the build reuses the answers. If the kernel is not supported, it
# tells the caller of dkms why: the build itself would say so only in make.log.

# The outermost dkms process, rather than one of its subshells.
dkms_pid()
{
	pid=$PPID
	while parent=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status") &&
		[ "$(cat "/proc/$parent/comm")" = dkms ]; do
		pid=$parent
	done 2>/dev/null
	echo "$pid"
}

# Use clang for kernels that were built with clang, as dkms does.
llvm=
! grep -qsx CONFIG_CC_IS_CLANG=y "$1/include/config/auto.conf" "$1/.config" || llvm=LLVM=1

# Any target will do, because make makes the answers first.
log=compat/ask.log
# shellcheck disable=SC2086 # a word or none
make -C "$1" M="$PWD" $llvm src/symbol/symbol.i >$log 2>&1 && exit

reason=$(sed -n 's/.*\(kvm-gmem-numa: this kernel .*\)/\1/p' $log | sort -u)
theirs=/proc/$(dkms_pid)/fd/2
if [ "$(readlink "$theirs")" = "$(readlink /proc/self/fd/2)" ]; then
	[ -z "$reason" ] || echo "$reason" >&2
else
	# From dkms 3.2 on, output of this script goes into make.log, so write the reason to dkms's own
	# standard error. If that is a file, do not: the write would use another file offset than dkms
	# itself. Under apt and dpkg, it is a terminal or a pipe.
	cat $log
	if [ -n "$reason" ] && { [ -p "$theirs" ] || [ -c "$theirs" ]; }; then
		printf "\n%s\n" "$reason" >"$theirs"
	fi
fi
exit 1
