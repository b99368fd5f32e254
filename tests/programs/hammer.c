// SPDX-License-Identifier: GPL-2.0-only
/*
 * hammer: call whatever the module redirects, from several threads, with and
 * without a guest_memfd, until killed by SIGTERM. The module comes and goes
 * meanwhile, so most calls may fail; but a guest in ordinary memory must not
 * notice. Ends with 0 if it did not.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tap.h"
#include "vmm.h"

#define N 16UL

static volatile sig_atomic_t stop;
static long guest_runs, guest_errors, files;

static void on_term(int sig)
{
	stop = 1;
}

/* A guest that uses nothing of ours. */
static void *bystander(void *arg)
{
	struct vmm vm;
	uint64_t sum;
	char *p = mmap(NULL, N * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED);
	vmm_create(&vm, 1);
	while (!stop) {
		must(!vmm_slot(&vm, VMM_TEST_SLOT, 0, VMM_TEST_GPA, N * PAGE, p, -1, 0));
		guest_errors += !!vmm_write(&vm, 0, VMM_TEST_GPA, N, 3);
		/* Its pages are taken away, so that it faults again. */
		must(!madvise(p, N * PAGE / 2, MADV_DONTNEED));
		guest_errors += vmm_sum(&vm, 0, VMM_TEST_GPA, N, &sum) || sum != 3 * N / 2;
		must(!vmm_delete_slot(&vm, VMM_TEST_SLOT));
		guest_runs++;
	}
	vmm_destroy(&vm);
	return NULL;
}

/* Files come and go, and are used in between if there was one. */
static void *user(void *arg)
{
	struct vmm vm;

	vmm_create(&vm, 1);
	while (!stop) {
		int fd = vmm_gmem_try(&vm, N * PAGE, VMM_GMEM_BOTH);

		vmm_cap(vm.fd, KVM_CAP_GUEST_MEMFD_FLAGS);
		ioctl(vm.fd, KVM_SET_TSC_KHZ, 0);
		if (fd < 0)
			continue;
		if (!vmm_slot(&vm, VMM_TEST_SLOT, KVM_MEM_GUEST_MEMFD, VMM_TEST_GPA, N * PAGE, NULL,
			      fd, 0)) {
			guest_errors += !!vmm_write(&vm, 0, VMM_TEST_GPA, N, 1);
			fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, N * PAGE);
			must(!vmm_delete_slot(&vm, VMM_TEST_SLOT));
		}
		close(fd);
		files++;
		/* A moment without a file, in which the module can go. */
		usleep(30000);
	}
	vmm_destroy(&vm);
	return NULL;
}

int main(void)
{
	pthread_t t[4];
	int i;

	signal(SIGTERM, on_term);
	puts("ready");
	for (i = 0; i < 4; i++)
		must(!pthread_create(&t[i], NULL, i % 2 ? user : bystander, NULL));
	for (i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	printf("%ld runs of bystanders, %ld files, %ld errors\n", guest_runs, files, guest_errors);
	return guest_errors || !guest_runs || !files;
}
