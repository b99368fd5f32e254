// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one VM costs another. Run it where time is a count of instructions.
 *
 *	a guest's fault costs the same, however many slots other VMs have bound
 *	a hole that goes across many slots lets other tasks have the CPU in between
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"
#include "vmm.h"

#define NS_PER_MS 1000000L

static long now(void)
{
	struct timespec ts;

	must(!clock_gettime(CLOCK_MONOTONIC, &ts));
	return ts.tv_sec * 1000 * NS_PER_MS + ts.tv_nsec;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	must(!sched_setaffinity(0, sizeof(set), &set));
}

/* --- as many slots of one page as a test needs */

#define FIRST_SLOT 1
#define NR_SLOTS 10000

static void bind_pages(struct vmm *vm, int fd, unsigned long n)
{
	unsigned long i;

	for (i = 0; i < n; i++)
		must(!vmm_slot(vm, FIRST_SLOT + i, KVM_MEM_GUEST_MEMFD, VMM_TEST_GPA + i * PAGE, PAGE,
			       NULL, fd, i * PAGE));
}

/* --- what a fault costs */

#define FAULTS 4096UL
#define TRIES 3
#define NEIGHBOURS 3
#define SPARE_SLOT 2
#define SPARE_GPA (2 * VMM_TEST_GPA)

/*
 * The pages are in the file, so that a fault only finds and maps one. KVM unmaps all memory of a
 * VM when any of its slots is deleted.
 */
static long fault_once(struct vmm *vm)
{
	long start;

	must(!vmm_slot(vm, SPARE_SLOT, 0, SPARE_GPA, PAGE, vm->ctrl, -1, 0));
	must(!vmm_delete_slot(vm, SPARE_SLOT));
	must(!vmm_halt(vm, 0));
	start = now();
	must(!vmm_write(vm, 0, VMM_TEST_GPA, FAULTS, 1));
	return (now() - start) / FAULTS;
}

static long fault_cost(struct vmm *vm)
{
	long least = fault_once(vm);
	int i;

	for (i = 1; i < TRIES; i++) {
		long took = fault_once(vm);

		least = took < least ? took : least;
	}
	return least;
}

/* The VM was created before the others, so it meets everything that they have put in its way. */
static void test_fault(void)
{
	static struct vmm vm, neighbour[NEIGHBOURS];
	int fd, other[NEIGHBOURS], i;
	long alone, beside;

	vmm_create(&vm, 1);
	fd = vmm_gmem(&vm, FAULTS * PAGE, VMM_GMEM_BOTH);
	must(!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, FAULTS * PAGE));
	vmm_bind(&vm, fd, FAULTS * PAGE, NULL);
	alone = fault_cost(&vm);
	for (i = 0; i < NEIGHBOURS; i++) {
		vmm_create(&neighbour[i], 0);
		other[i] = vmm_gmem(&neighbour[i], NR_SLOTS * PAGE, VMM_GMEM_BOTH);
		bind_pages(&neighbour[i], other[i], NR_SLOTS);
	}
	beside = fault_cost(&vm);
	/* This is how closely two counts of the same thing agree. */
	ok(beside * 100 < alone * 101,
	   "a guest's fault takes %ld instructions, and beside %d slots of others %ld", alone,
	   NEIGHBOURS * NR_SLOTS, beside);
	for (i = 0; i < NEIGHBOURS; i++) {
		vmm_destroy(&neighbour[i]);
		close(other[i]);
	}
	vmm_destroy(&vm);
	close(fd);
}

/* --- how long others wait */

#define PERIOD (NS_PER_MS / 10)

static volatile bool stop;
static long worst;

/*
 * Runs at fixed intervals on the CPU of the thread that created it, unless that thread holds the
 * CPU.
 */
static void *wait_for_turn(void *arg)
{
	const struct sched_param most = { .sched_priority = sched_get_priority_max(SCHED_FIFO) };
	struct timespec ts;
	long due = now(), late;

	must(!sched_setscheduler(0, SCHED_FIFO, &most));
	while (!stop) {
		due += PERIOD;
		ts.tv_sec = due / (1000 * NS_PER_MS);
		ts.tv_nsec = due % (1000 * NS_PER_MS);
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
		late = now() - due;
		worst = late > worst ? late : worst;
		/* Missed intervals are not made up for. */
		due = now();
	}
	return NULL;
}

static void test_hole(void)
{
	pthread_t thread;
	struct vmm vm;
	long took;
	int fd;

	vmm_create(&vm, 1);
	fd = vmm_gmem(&vm, NR_SLOTS * PAGE, VMM_GMEM_BOTH);
	bind_pages(&vm, fd, NR_SLOTS);
	must(!vmm_write(&vm, 0, VMM_TEST_GPA, FAULTS, 1));

	must(!pthread_create(&thread, NULL, wait_for_turn, NULL));
	usleep(20000);
	worst = 0;
	took = now();
	vmm_punch(fd, 0, NR_SLOTS * PAGE);
	took = now() - took;
	stop = true;
	must(!pthread_join(thread, NULL));
	ok(worst < NS_PER_MS,
	   "a hole across %d slots, %ld instructions: no task waits for the CPU for more than %ld",
	   NR_SLOTS, took, worst);
	close(fd);
	vmm_destroy(&vm);
}

int main(void)
{
	pin(0);
	test_fault();
	test_hole();
	return tap_exit();
}
