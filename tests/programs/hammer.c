// SPDX-License-Identifier: GPL-2.0-only
/*
 * hammer: calls everything that the module redirects, from several threads, with and without a
 * guest_memfd, until SIGTERM. Meanwhile the module is loaded and unloaded, so most calls may fail;
 * but a guest in ordinary memory must not notice, nor must one with private memory. Exits with 0
 * if they did not.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "numa.h"
#include "private.h"
#include "prng.h"
#include "tap.h"
#include "vmm.h"

#define N 16UL

static volatile sig_atomic_t stop;
static long guest_runs, guest_errors, files, private_files, calls;

static void on_term(int sig)
{
	stop = 1;
}

/*
 * Loading and unloading spend most of their time waiting for grace periods, which cost nothing
 * when nothing runs and time is a count of instructions. Without pauses here, a thousand loads and
 * unloads take three hours, and no more of them meet a call in flight than with pauses.
 */
static void pause_sometimes(struct prng *dice)
{
	if (prng_rarely(dice, 4))
		usleep(prng_below(dice, 1500000));
}

/* A guest that uses nothing of the module. */
static void *bystander(void *arg)
{
	struct prng dice = prng_seed((uintptr_t)arg);
	struct vmm vm;
	uint64_t sum;
	char *p = mmap(NULL, N * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED);
	vmm_create(&vm, 1);
	while (!stop) {
		must(!vmm_slot(&vm, VMM_TEST_SLOT, 0, VMM_TEST_GPA, N * PAGE, p, -1, 0));
		guest_errors += !!vmm_write(&vm, 0, VMM_TEST_GPA, N, 3);
		/* Take pages from the guest, so that it faults again. */
		must(!madvise(p, N * PAGE / 2, MADV_DONTNEED));
		guest_errors += vmm_sum(&vm, 0, VMM_TEST_GPA, N, &sum) || sum != 3 * N / 2;
		must(!vmm_delete_slot(&vm, VMM_TEST_SLOT));
		guest_runs++;
		pause_sometimes(&dice);
	}
	vmm_destroy(&vm);
	return NULL;
}

/*
 * Calls that need no file, in long rounds, so that a call is often in flight. Their results depend
 * on whether the module is loaded at that moment. The pre-fault is of ordinary memory.
 */
static void *caller(void *arg)
{
	char *p = mmap(NULL, N * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct prng dice = prng_seed((uintptr_t)arg);
	struct vmm vm;

	must(p != MAP_FAILED);
	vmm_create(&vm, 1);
	while (!stop) {
		struct kvm_pre_fault_memory range = { .gpa = VMM_TEST_GPA, .size = PAGE };

		must(!vmm_slot(&vm, VMM_TEST_SLOT, 0, VMM_TEST_GPA, N * PAGE, p, -1, 0));
		guest_errors += !!vmm_write(&vm, 0, VMM_TEST_GPA, N, 3);
		ioctl(vm.vcpu[0].fd, KVM_PRE_FAULT_MEMORY, &range);
		vmm_cap(vm.kvm_fd, KVM_CAP_GUEST_MEMFD_FLAGS);
		vmm_cap(vm.fd, KVM_CAP_GUEST_MEMFD);
		ioctl(vm.fd, KVM_SET_TSC_KHZ, 0);
		ioctl(vm.vcpu[0].fd, KVM_SET_TSC_KHZ, 0);
		/* Neither descriptor is a guest_memfd. */
		guest_errors += !vmm_slot(&vm, VMM_TEST_SLOT + 1, KVM_MEM_GUEST_MEMFD, 2 * VMM_TEST_GPA,
					  PAGE, p, -1, 0);
		guest_errors += !vmm_slot(&vm, VMM_TEST_SLOT + 1, KVM_MEM_GUEST_MEMFD, 2 * VMM_TEST_GPA,
					  PAGE, p, vm.fd, 0);
		/* So neither call left a slot behind. */
		guest_errors += !vmm_delete_slot(&vm, VMM_TEST_SLOT + 1);
		must(!vmm_delete_slot(&vm, VMM_TEST_SLOT));
		calls++;
		pause_sometimes(&dice);
	}
	vmm_destroy(&vm);
	return NULL;
}

/* Creates and closes files, and uses a file in between if one could be created. */
static void *user(void *arg)
{
	struct vmm vm;

	vmm_create(&vm, 1);
	while (!stop) {
		int fd = vmm_gmem_try(&vm, N * PAGE, VMM_GMEM_BOTH);

		if (fd < 0) {
			usleep(1000);
			continue;
		}
		if (!vmm_slot(&vm, VMM_TEST_SLOT, KVM_MEM_GUEST_MEMFD, VMM_TEST_GPA, N * PAGE, NULL,
			      fd, 0)) {
			guest_errors += !!vmm_write(&vm, 0, VMM_TEST_GPA, N, 1);
			fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, N * PAGE);
			must(!vmm_delete_slot(&vm, VMM_TEST_SLOT));
		}
		close(fd);
		files++;
		/* A moment without a file, in which the module can be unloaded. */
		usleep(30000);
	}
	vmm_destroy(&vm);
	return NULL;
}

/*
 * Private memory is KVM's own, with or without the module. The module comes and goes between and
 * within these calls.
 */
static void *private_user(void *arg)
{
	char *p = mmap(NULL, N * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct prng dice = prng_seed((uintptr_t)arg);
	bool can_populate = private_can_populate();
	struct vmm vm;

	if (!private_memory_exists())
		return NULL;
	must(p != MAP_FAILED && !set_policy(p, N * PAGE, MPOL_BIND, NODE(1)));
	private_create(&vm, 1);
	while (!stop) {
		int fd = vmm_gmem(&vm, N * PAGE, 0);

		private_slot(&vm, VMM_TEST_SLOT, VMM_TEST_GPA, N * PAGE, p, fd, 0);
		private_set(&vm, VMM_TEST_GPA, N * PAGE, true);
		pause_sometimes(&dice);
		guest_errors += can_populate && private_populate(&vm, VMM_TEST_GPA, N, NULL) != N;
		vmm_punch(fd, 0, N * PAGE);
		guest_errors += !!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, N / 2 * PAGE);
		must(!vmm_halt(&vm, 0));
		guest_errors += !!private_fault(&vm, 0, VMM_TEST_GPA, N * PAGE);
		private_share(&vm, fd, 0, VMM_TEST_GPA, N * PAGE);
		must(!vmm_delete_slot(&vm, VMM_TEST_SLOT));
		pause_sometimes(&dice);
		close(fd);
		private_files++;
	}
	vmm_destroy(&vm);
	guest_errors += private_rmp().wrong;
	return NULL;
}

int main(void)
{
	static void *(*const what[])(void *) = { bystander, user, bystander, user, caller,
						private_user };
	enum { THREADS = sizeof(what) / sizeof(what[0]) };
	uint64_t seed = time(NULL);
	pthread_t t[THREADS];
	int i;

	signal(SIGTERM, on_term);
	printf("ready, seed %lu\n", seed);
	for (i = 0; i < THREADS; i++)
		must(!pthread_create(&t[i], NULL, what[i], (void *)(uintptr_t)(seed + i)));
	for (i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	printf("%ld runs of bystanders, %ld files, %ld of private memory, %ld rounds of calls, %ld errors\n",
	       guest_runs, files, private_files, calls, guest_errors);
	return guest_errors || !guest_runs || !files || !calls ||
	       (private_memory_exists() && !private_files);
}
