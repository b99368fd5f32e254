// SPDX-License-Identifier: GPL-2.0-only
/* KVM_SET_TSC_KHZ: when it is allowed, and that no call slips past the gate. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tap.h"
#include "vmm.h"

static int open_kvm(void)
{
	int fd = open("/dev/kvm", O_RDWR);

	must(fd >= 0);
	return fd;
}

static int create_vm(int kvm)
{
	int fd = ioctl(kvm, KVM_CREATE_VM, 0);

	must(fd >= 0);
	return fd;
}

static int tsc_khz(int fd)
{
	return ioctl(fd, KVM_GET_TSC_KHZ);
}

static int set_tsc_khz(int fd, unsigned long khz)
{
	return ioctl(fd, KVM_SET_TSC_KHZ, khz);
}

static void test_gate(int kvm)
{
	int vm = create_vm(kvm), host = tsc_khz(vm), vcpu;

	ok(host > 0, "a new VM has the host's TSC frequency");
	is(set_tsc_khz(vm, host + 1000), 0, "before the first vCPU, the VM's frequency can be set");
	is(tsc_khz(vm), host + 1000, "and read back");
	is(set_tsc_khz(vm, 0), 0, "0 means the host's");
	is(tsc_khz(vm), host, "and it is");
	/* The ioctl uses the low half of its argument. */
	is(set_tsc_khz(vm, 1UL << 32 | (host + 3000)), 0, "the argument is 32 bits wide");
	is(tsc_khz(vm), host + 3000, "the high half of the argument is ignored");

	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	must(vcpu >= 0);
	is(tsc_khz(vcpu), host + 3000, "a vCPU takes the VM's frequency over");
	fails(set_tsc_khz(vm, host + 1000), EINVAL, "with a vCPU, the VM's is refused");
	fails(set_tsc_khz(vm, host + 3000), EINVAL,
	      "with a vCPU, the VM's is refused even unchanged");
	fails(set_tsc_khz(vm, 0), EINVAL, "with a vCPU, the VM's is refused even if it is 0");
	is(tsc_khz(vm), host + 3000, "the VM's stays what it was");
	is(set_tsc_khz(vcpu, host + 2000), 0, "the vCPU's own can be set");
	is(tsc_khz(vcpu), host + 2000, "and read back");

	close(vcpu);
	fails(set_tsc_khz(vm, host + 1000), EINVAL, "a closed vCPU is still a vCPU of the VM");
	close(vm);
}

/* KVM refuses vCPU ids that are too big before it counts the vCPU. */
static void test_failed_vcpu(int kvm)
{
	int vm = create_vm(kvm), host = tsc_khz(vm), vcpu;

	is(ioctl(vm, KVM_CREATE_VCPU, -1), -1, "a vCPU with a bad id cannot be created");
	is(set_tsc_khz(vm, host + 1000), 0, "so the VM's frequency can still be set");
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	must(vcpu >= 0);
	is(ioctl(vm, KVM_CREATE_VCPU, 0), -1, "a vCPU cannot be created twice");
	fails(set_tsc_khz(vm, host), EINVAL, "the first vCPU still counts");
	close(vcpu);
	close(vm);
}

struct setter {
	int vm, base;
	volatile bool stop;
};

static void *set_until_stopped(void *arg)
{
	struct setter *s = arg;
	int i;

	for (i = 1; !s->stop; i++)
		set_tsc_khz(s->vm, s->base + i % 4096);
	return NULL;
}

/* A KVM_SET_TSC_KHZ that slips in between leaves the VM and its vCPU with different frequencies. */
static void test_race(int kvm)
{
	struct setter s = {};
	long i, differ = 0;
	pthread_t t;

	for (i = 0; i < 200; i++) {
		int vcpu;

		s.vm = create_vm(kvm);
		s.base = tsc_khz(s.vm) + 1;
		s.stop = false;
		must(!pthread_create(&t, NULL, set_until_stopped, &s));
		if (i % 2)
			usleep(100);
		vcpu = ioctl(s.vm, KVM_CREATE_VCPU, 0);
		must(vcpu >= 0);
		s.stop = true;
		pthread_join(t, NULL);
		differ += tsc_khz(vcpu) != tsc_khz(s.vm);
		close(vcpu);
		close(s.vm);
	}
	is(differ, 0, "KVM_SET_TSC_KHZ races with KVM_CREATE_VCPU, %ld times: none slips through", i);
}

int main(void)
{
	int kvm = open_kvm();

	test_gate(kvm);
	test_failed_vcpu(kvm);
	test_race(kvm);
	close(kvm);
	return tap_exit();
}
