# SPDX-License-Identifier: GPL-2.0-only
# A system of a distribution that has booted with the package, or without it. gmem_want says in which state the
# module must be: active, native, or absent. If there is a package in this folder, it is installed
# and removed while the module is in use.

. ./running.sh

want=$(parameter gmem_want)

of_version()
{
	cat $module/version
	[ "$(cat $module/version)" = "$(parameter gmem_version)" ]
}

# Both features have this state.
states()
{
	grep . $module/features/*
	[ "$(state guest_memfd),$(state tsc_vm_gate)" = "$1,$1" ]
}

# The modules of KVM that are loaded, their users, and what is redirected. Loading or unloading any of them
# changes this.
kvm_now()
{
	grep -E '^kvm' /proc/modules | cut -d ' ' -f 1-4
	cat $module/version $module/srcversion $module/features/redirects
	cat $functions
}

unchanged()
{
	kvm_now | diff /tmp/kvm.before -
}

at_once()
{
	modprobe -r kvm_gmem_numa && ! loaded && modprobe kvm_gmem_numa && loaded
}

# plugs DEVICE: give udev the device's "add" event again, as at boot, after udev's configuration has changed.
plugs()
{
	udevadm control --reload
	udevadm trigger --action=add $1
	udevadm settle
}

# This is the case that KVM was loaded in the initramfs, or is built in: its device is there, and
# systemd-udev-trigger repeats the device's event.
comes_later()
{
	modprobe -r kvm_gmem_numa
	plugs /sys/class/misc/kvm
	loaded
}

# kept_away FILE [LINE]: a file with this line, or an empty file, keeps the module from being loaded.
kept_away()
{
	modprobe -r kvm_gmem_numa
	mkdir -p ${1%/*}
	echo $2 >$1
	plugs /sys/class/misc/kvm
	rm $1
	! loaded
}

# kvm_comes: udev loads KVM for a CPU, and then the module. kvm_kept_away: neither is loaded if an administrator
# keeps KVM from being loaded.
kvm_comes()
{
	modprobe -r kvm_gmem_numa kvm_amd
	plugs /sys/devices/system/cpu/cpu0
	[ -d /sys/module/kvm_amd ] && loaded
}

kvm_kept_away()
{
	modprobe -r kvm_gmem_numa kvm_amd
	echo "install kvm_amd /bin/false" >/etc/modprobe.d/test.conf
	plugs /sys/devices/system/cpu/cpu0
	rm /etc/modprobe.d/test.conf
	[ ! -d /sys/module/kvm_amd ] && ! loaded
}

how_it_is_loaded()
{
	ok "the module is loaded where KVM was loaded before" comes_later
	ok "blacklist kvm_gmem_numa keeps it away" kept_away /etc/modprobe.d/test.conf "blacklist kvm_gmem_numa"
	ok "an empty file in place of its udev rule keeps it away" kept_away /etc/udev/rules.d/80-kvm-gmem-numa.rules
	ok "the file that kept earlier versions away keeps it away" kept_away /etc/modprobe.d/kvm-gmem-numa.conf
	ok "with an option that it refuses, it is not loaded" kept_away /etc/modprobe.d/test.conf \
		"options kvm_gmem_numa detach_delay=none"
	ok "install kvm_amd /bin/false keeps KVM away, and the module as well" kvm_kept_away
	ok "the module is loaded when KVM is" kvm_comes
	ok "the system is not degraded by any of these" running
}

# The headers are hidden so that nothing is compiled, which would take too long in the emulator.
in_use()
{
	rm -f "/lib/modules/$(uname -r)/build"
	hold slot
	kvm_now >/tmp/kvm.before
	ok "in use: dpkg --install of a newer version" dpkg --install ./*.deb
	ok "in use: nothing that KVM runs has changed" unchanged
	ok "in use: dpkg --purge" dpkg --purge kvm-gmem-numa-dkms
	ok "in use: nothing that KVM runs has changed then" unchanged
	ok "in use: each feature works" ./probe present
	let_go
}

echo "# $(uname -r), $(systemctl --version | head -n 1), $(systemd-analyze time | head -n 1)"
ok "the system is running, and not degraded" running
if [ "$want" = absent ]; then
	nok "the module is not loaded" loaded
	ok "kvm_amd is loaded" test -d /sys/module/kvm_amd
else
	ok "the module was loaded at boot" loaded
	ok "its version is the installed one" of_version
	ok "its features are $want" states $want
	ok "each feature works" ./probe present
	ok "a guest's pages are on the nodes of its policy" ./demo_vmm placement
	ok "modprobe -r unloads it, and modprobe loads it at once" at_once
	how_it_is_loaded
	! ls ./*.deb >/dev/null 2>&1 || in_use
	dmesg | sed -n 's/.*kvm_gmem_numa: /# log: /p'
fi
