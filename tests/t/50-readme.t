#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Every command in the README's code blocks is known to the tests, and `make demo` works.
. "$(dirname "$0")/../lib/prove.sh"
cd "$top"

# The command lines in the README's blocks of commands.
readme_commands()
{
	awk '/^```sh$/ { on = 1; next } /^```/ { on = 0 } on && NF && $1 !~ /^#/' README.md | sort -u
}

# Commands that a test runs, and commands that need a machine of the reader's own.
known_commands()
{
	cat <<-'EOF'
	make demo
	make check
	make check KDIR=DIR
	make check-kernels
	make bench
	make deb
	make rpm
	make check-packages
	make
	insmod kvm-gmem-numa.ko
	rmmod kvm_gmem_numa
	grep . /sys/module/kvm_gmem_numa/features/*
	make install-source
	apt install ./dist/kvm-gmem-numa-dkms_*_all.deb
	apt purge kvm-gmem-numa-dkms
	dnf install ./dist/kvm-gmem-numa-dkms-*.noarch.rpm
	dnf remove kvm-gmem-numa-dkms
	EOF
	# Commands that name the current version.
	sed -n 's,^PACKAGE_VERSION="\(.*\)",dkms install kvm-gmem-numa/\1\ndkms remove kvm-gmem-numa/\1 --all\nrm -r /usr/src/kvm-gmem-numa-\1 /usr/lib/udev/rules.d/80-kvm-gmem-numa.rules,p' dkms.conf
}

unknown_commands()
{
	readme_commands | grep -vxF -f <(known_commands)
}

silent "every command in the README is one that the tests run" unknown_commands
check "and there are some" test "$(readme_commands | wc -l)" -ge 3
check "make demo works" tests/run demo
plan
