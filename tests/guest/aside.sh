# SPDX-License-Identifier: GPL-2.0-only
# A kernel that needs little of the module, or nothing: the module loads, does no more than it reports,
# and unloads without a trace. Because it loads, a host that boots such a kernel has no failed unit.

only_private_files()
{
	cat $functions
	! grep -v '^kvm_gmem_create ' $functions
}

survey /tmp/before
for i in 1 2 3 4 5; do
	dmesg_mark
	ok "loads, time $i" load
	ok "says what it does" dmesg_says "kvm_gmem_numa: guest_memfd \(native\|unavailable\)"
	ok "says it in one line" test "$(dmesg_new | grep kvm_gmem_numa: | grep -vc taint)" -eq 1
	ok "features are as this kernel allows" states_expected
	states_true /tmp/before
	ok "what is redirected is what it says" as_reported
	survey /tmp/loaded
	case $(state tsc_vm_gate) in
	native) ok "nothing works that did not, nothing fails that worked" cmp /tmp/before /tmp/loaded ;;
	active) ok "the gate of VMs is there" grep -q KVM_SET_TSC_KHZ /tmp/loaded ;;
	esac
	[ "$(state guest_memfd)" != native ] || [ "$(state tsc_vm_gate)" != native ] ||
		ok "nothing is redirected but the creation of private memory" only_private_files
	ok "unloads" unload
	ok "nothing is left" clean
done
survey /tmp/after
ok "all is as before" cmp /tmp/before /tmp/after
