# SPDX-License-Identifier: GPL-2.0-only
# What `make demo` shows: plain text for people. Each step must do what its title says.

bad=0

show()
{
	echo
	echo "$1"
	shift
	"$@" || {
		bad=1
		echo "  ^ this is not as it should be"
	}
}


echo "Linux $(uname -r), nodes $(cat /sys/devices/system/node/has_memory) with memory, kvm_amd"
show "Without the module, a guest_memfd that can be mapped:" ./demo_vmm refused
show "Without the module, KVM_SET_TSC_KHZ:" ./demo_vmm tsc-open
show "insmod kvm-gmem-numa.ko:" load
dmesg | sed -n 's/^\[[^]]*\] kvm_gmem_numa: guest_memfd/  guest_memfd/p' | tail -n 1
show "With the module, a guest touches every page of a guest_memfd:" ./demo_vmm placement
show "With the module, KVM_SET_TSC_KHZ:" ./demo_vmm tsc-gated
show "rmmod kvm_gmem_numa:" unload
show "Without it again:" ./demo_vmm refused

[ $bad -eq 0 ] && echo "DEMO OK"
