#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The package changes nothing for modprobe, as seen with each release's own kmod, or for what starts at boot.
# That udev nevertheless loads the module is tested by the scripts that boot.
. "$(dirname "$0")/../lib/pkgprove.sh"

work=$cache/work/packages-boot

# modules_of DIR MODULE...: make a kernel's module folder with empty modules of these names. modprobe needs no
# more than the names to say what it would load.
modules_of()
{
	local dir=$1/root/lib/modules/6.1.0-test m
	shift
	mkdir -p "$dir/kernel" "$dir/updates/dkms"
	touch "$dir"/modules.{order,builtin,builtin.modinfo}
	for m; do
		gcc -c -x c /dev/null -o "$dir/$m.ko"
	done
	depmod -b "${dir%/lib/*}" 6.1.0-test
}

# Lines about KVM that an administrator may have in modprobe.d.
administrators_lines()
{
	cat <<-'EOF'
	# nothing
	install kvm_amd /bin/false
	blacklist kvm_amd
	options kvm_amd nested=0
	alias virtualisation kvm_amd
	softdep kvm_amd pre: kvm_intel
	softdep kvm_amd post: kvm_intel
	remove kvm_amd /bin/true
	EOF
}

# meaning DIR: print what modprobe would do with each of these lines.
meaning()
{
	local line command name
	while read -r line; do
		echo "== $line"
		mkdir -p "$1/root/etc/modprobe.d"
		echo "$line" >"$1/root/etc/modprobe.d/administrator.conf"
		for name in kvm-amd kvm-intel virtualisation; do
			for command in --show-depends "--dry-run --verbose" "--dry-run --verbose --use-blacklist" \
				"--dry-run --verbose --remove"; do
				echo "$command $name:"
				# shellcheck disable=SC2086 # a list of words
				in_root "$1" /usr/sbin/modprobe -S 6.1.0-test $command $name 2>&1 || echo "status $?"
			done
		done
		in_root "$1" /usr/sbin/modprobe -S 6.1.0-test --showconfig
	done < <(administrators_lines)
}

same_meaning()
{
	meaning "$1" >"$1/with"
	grep -c '^insmod' "$1/without"
	diff "$1/without" "$1/with"
}

# The output shows what a line does: with "install kvm_amd /bin/false", modprobe runs /bin/false and nothing else.
tells_apart()
{
	grep -A 1 -e '--show-depends kvm-amd:' "$1/without" | grep -x 'install /bin/false *'
}

# A unit that fails makes the system "degraded". The package has no unit, and nothing that another unit would run.
no_unit()
{
	! dpkg-deb -c "$deb" | grep -E 'systemd|modules-load|init\.d|cron'
}

# A udev rule that runs a program can fail as well. The package's rule uses only what is built into udev.
no_program()
{
	local rules
	rules=$(dpkg-deb --fsys-tarfile "$deb" | tar -xO --wildcards './usr/lib/udev/*' | grep -v '^#')
	echo "$rules"
	[ "$(grep -o 'RUN[^"]*' <<<"$rules")" = 'RUN{builtin}+=' ] && ! grep -E 'PROGRAM|IMPORT' <<<"$rules"
}

check "any | - | boot: the package has no unit" no_unit
check "any | - | boot: udev runs no program for the package" no_program
for d in $(distributions); do
	dir=$work/$d
	root_gone "$dir"
	root_for "$dir" "$d"
	modules_of "$dir" kernel/kvm-amd kernel/kvm-intel updates/dkms/kvm-gmem-numa
	meaning "$dir" >"$dir/without"
	check "$d | - | boot: an administrator's line of modprobe.d means what it says" tells_apart "$dir"
	dpkg-deb -x "$deb" "$dir/unpacked"
	tar -C "$dir/unpacked" -c usr | tar -C "$dir/root" -x
	check "$d | - | boot: each line means the same with the package" same_meaning "$dir"
	root_gone "$dir"
done
plan
