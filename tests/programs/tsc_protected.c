// SPDX-License-Identifier: GPL-2.0-only
/*
 * tsc_protected refused|accepted: KVM_SET_TSC_KHZ on a vCPU whose TSC is protected, as
 * kmod/protect_tsc.c marks it. Another vCPU must not be affected.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tap.h"
#include "vmm.h"

static void protect(int vcpu)
{
	int fd = open("/sys/module/protect_tsc/parameters/vcpu", O_WRONLY);
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", vcpu);

	must(fd >= 0 && write(fd, text, len) == len);
	close(fd);
}

int main(int argc, char **argv)
{
	struct vmm vm;
	int khz;

	must(argc == 2);
	vmm_create(&vm, 2);
	khz = ioctl(vm.vcpu[0].fd, KVM_GET_TSC_KHZ);
	must(khz > 0);

	is(ioctl(vm.vcpu[0].fd, KVM_SET_TSC_KHZ, khz), 0, "a vCPU's TSC frequency can be set");
	protect(vm.vcpu[0].fd);
	if (!strcmp(argv[1], "refused"))
		fails(ioctl(vm.vcpu[0].fd, KVM_SET_TSC_KHZ, khz), EINVAL,
		      "it cannot be set if the vCPU's TSC is protected");
	else
		is(ioctl(vm.vcpu[0].fd, KVM_SET_TSC_KHZ, khz), 0,
		   "on this kernel, even if the vCPU's TSC is protected");
	is(ioctl(vm.vcpu[0].fd, KVM_GET_TSC_KHZ), khz, "other ioctls work");
	is(ioctl(vm.vcpu[1].fd, KVM_SET_TSC_KHZ, khz), 0, "another vCPU's can be set");
	vmm_destroy(&vm);
	return tap_exit();
}
