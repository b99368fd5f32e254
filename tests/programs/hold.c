// SPDX-License-Identifier: GPL-2.0-only
/*
 * hold file|mapping|slot|ioctl|tsc: holds one of them, and nothing else that keeps the module
 * loaded, until killed. Prints "ready" first. "ioctl" is an ioctl that waits for its arguments;
 * "tsc" is KVM_SET_TSC_KHZ, which waits for an ioctl that is not the module's and that itself
 * waits for its arguments.
 *
 * hold all: holds all of them, a poisoned page, and a guest_memfd for private memory if there is
 * any: everything that the module redirects only when needed is then redirected, and stays so.
 *
 * hold poison: holds a slot with a page that another process poisoned, and a guest_memfd for private
 * memory if there is any, so that all redirects are attached.
 *
 * hold private: holds a software-protected VM, whose guest has touched its private memory.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "private.h"
#include "race.h"
#include "stall.h"
#include "tap.h"
#include "vmm.h"

/* The process that poisons the page may be killed, so a child does it. */
static void poison_by_child(int fd)
{
	pid_t pid = fork();
	void *p;

	must(pid >= 0);
	if (!pid) {
		p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		must(p != MAP_FAILED);
		madvise(p, PAGE, MADV_HWPOISON);
		_exit(0);
	}
	must(waitpid(pid, NULL, 0) == pid);
}

static char *arguments;

static void *set_slot(void *arg)
{
	struct vmm *vm = arg;

	ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION2, arguments);
	return NULL;
}

/* KVM copies the arguments of this ioctl with kvm->lock held. */
static void *set_identity_map(void *arg)
{
	struct vmm *vm = arg;

	ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, arguments);
	return NULL;
}

static void wait_in_ioctl(struct vmm *vm, void *(*call)(void *vm))
{
	pthread_t thread;
	int fd;

	arguments = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(arguments != MAP_FAILED);
	fd = stall_page(arguments);
	must(!pthread_create(&thread, NULL, call, vm));
	stall_until_touched(fd);
}

static void set_tsc(void *arg)
{
	struct vmm *vm = arg;

	ioctl(vm->fd, KVM_SET_TSC_KHZ, 0);
}

static void wait_for_lock(void)
{
	static struct vmm vm;
	static struct stalled_call call;

	vmm_create(&vm, 0);
	wait_in_ioctl(&vm, set_identity_map);
	stalled_call_begin(&call, set_tsc, &vm);
}

static void hold_private(void)
{
	struct kvm_memory_attributes private = {
		.address = VMM_TEST_GPA,
		.size = 2 * PAGE,
		.attributes = KVM_MEMORY_ATTRIBUTE_PRIVATE,
	};
	static struct vmm vm;
	void *shared;
	int fd;

	vmm_open_type(&vm, KVM_X86_SW_PROTECTED_VM);
	vmm_start(&vm, 1);
	shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(shared != MAP_FAILED);
	fd = vmm_gmem(&vm, 2 * PAGE, 0);
	vmm_bind(&vm, fd, 2 * PAGE, shared);
	must(!ioctl(vm.fd, KVM_SET_MEMORY_ATTRIBUTES, &private));
	must(!vmm_write(&vm, 0, VMM_TEST_GPA, 1, 1));
	must(!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 2 * PAGE));
}

static void hold_private_memory(void)
{
	static struct vmm vm;

	if (!private_memory_exists())
		return;
	vmm_open(&vm);
	if (!private_make(vm.fd))
		vmm_gmem(&vm, PAGE, 0);
}

int main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";
	struct vmm vm;
	void *p;
	int fd;

	vmm_create(&vm, 1);
	fd = vmm_gmem(&vm, PAGE, VMM_GMEM_BOTH);

	if (!strcmp(what, "mapping")) {
		p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
		must(p != MAP_FAILED);
		close(fd);
	} else if (!strcmp(what, "slot")) {
		vmm_bind(&vm, fd, PAGE, NULL);
		close(fd);
	} else if (!strcmp(what, "ioctl")) {
		close(fd);
		wait_in_ioctl(&vm, set_slot);
	} else if (!strcmp(what, "tsc")) {
		close(fd);
		wait_for_lock();
	} else if (!strcmp(what, "poison")) {
		vmm_bind(&vm, fd, PAGE, NULL);
		must(!vmm_write(&vm, 0, VMM_TEST_GPA, 1, 1));
		poison_by_child(fd);
		hold_private_memory();
		must(vmm_write(&vm, 0, VMM_TEST_GPA, 1, 1) && errno == EHWPOISON);
		close(fd);
	} else if (!strcmp(what, "private")) {
		close(fd);
		hold_private();
	} else if (!strcmp(what, "all")) {
		p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		must(p != MAP_FAILED);
		vmm_bind(&vm, fd, PAGE, p);
		must(!vmm_write(&vm, 0, VMM_TEST_GPA, 1, 1));
		guard_init();
		must(poison(p));
		hold_private_memory();
	} else {
		must(!strcmp(what, "file"));
	}

	puts("ready");
	for (;;)
		pause();
}
