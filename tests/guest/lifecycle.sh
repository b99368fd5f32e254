# SPDX-License-Identifier: GPL-2.0-only
# A system of a distribution that has booted with the package, or without. What there must
# be of the module is said by gmem_want: active, native, or absent. If there is a package here,
# it is installed and removed while the module is in use.

. ./running.sh

want=$(parameter gmem_want)

of_version()
{
	cat $module/version
	[ "$(cat $module/version)" = "$(parameter gmem_version)" ]
}

# Both of what the module brings.
states()
{
	grep . $module/features/*
	[ "$(state guest_memfd),$(state tsc_vm_gate)" = "$1,$1" ]
}

# What the kernel has loaded of KVM, who uses it, and what is redirected. Loading or unloading
# anything changes it.
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

# Without headers nothing is compiled, which would take too long here.
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
	ok "kvm_amd is" test -d /sys/module/kvm_amd
else
	ok "the module was loaded at boot" loaded
	ok "in the version that is installed" of_version
	ok "its features are $want" states $want
	ok "each feature works" ./probe present
	ok "a guest's pages are on the nodes of its policy" ./demo_vmm placement
	ok "modprobe -r unloads it, and modprobe loads it at once" at_once
	! ls ./*.deb >/dev/null 2>&1 || in_use
	dmesg | sed -n 's/.*kvm_gmem_numa: /# log: /p'
fi
