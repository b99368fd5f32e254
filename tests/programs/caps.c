// SPDX-License-Identifier: GPL-2.0-only
/*
 * caps WHAT VALUE...: checks what /dev/kvm and a VM answer for capabilities 234, 244 and 231, in
 * this order.
 * caps: prints the answers.
 */
#include <unistd.h>

#include "tap.h"
#include "vmm.h"

int main(int argc, char **argv)
{
	static const int caps[] = { KVM_CAP_GUEST_MEMFD, KVM_CAP_GUEST_MEMFD_FLAGS,
				    KVM_CAP_USER_MEMORY2 };
	struct vmm vm;
	int i, want = 2;

	must(argc == 8 || argc == 1);
	vmm_create(&vm, 0);
	if (argc == 1) {
		for (i = 0; i < 6; i++)
			printf("%d ", vmm_cap(i < 3 ? vm.kvm_fd : vm.fd, caps[i % 3]));
		putchar('\n');
		return 0;
	}
	for (i = 0; i < 3; i++)
		is(vmm_cap(vm.kvm_fd, caps[i]), atoi(argv[want++]), "%s: capability %d on /dev/kvm",
		   argv[1], caps[i]);
	for (i = 0; i < 3; i++)
		is(vmm_cap(vm.fd, caps[i]), atoi(argv[want++]), "%s: capability %d on a VM", argv[1],
		   caps[i]);
	vmm_destroy(&vm);
	return tap_exit();
}
