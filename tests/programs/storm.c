// SPDX-License-Identifier: GPL-2.0-only
/*
 * storm SECONDS SEED: everything at once on one file: guest faults, also by nested guests, host
 * faults, holes, policies, allocation, memslots that come and go, files that are closed under
 * their slots, VMs that die. The results of the calls are not checked here, and the script that
 * runs this program watches the kernel; but afterwards everything must work as before.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "numa.h"
#include "prng.h"
#include "tap.h"
#include "vmm.h"

#define N 128UL
#define SIZE (N * PAGE)
#define VCPUS 2

static struct vmm vm;
static int fd;
static char *map;
static volatile bool stop;
static uint64_t seed;

/* A thread of the storm. Its random numbers depend only on the seed and its index. */
struct thread {
	const char *name;
	void (*act)(struct thread *t);
	int vcpu;
	struct prng dice;
	uint64_t acts;
	pthread_t id;
};

static uint64_t roll(struct thread *t, uint64_t below)
{
	return prng_below(&t->dice, below);
}

static uint64_t first(struct thread *t)
{
	return roll(t, N - 1);
}

static uint64_t some(struct thread *t, uint64_t from)
{
	return 1 + roll(t, N - from);
}

static void guest(struct thread *t)
{
	uint64_t from = first(t);

	vmm_write(&vm, t->vcpu, VMM_TEST_GPA + from * PAGE, some(t, from), t->acts);
	usleep(100);
}

/* Starting a nested guest makes KVM allocate the reverse map of each slot. */
static void nested_guest(struct thread *t)
{
	uint64_t from = first(t);

	if (vmm_write_nested(&vm, t->vcpu, roll(t, 2) ? VMM_L2 : VMM_L1, VMM_TEST_GPA + from * PAGE,
			     some(t, from), t->acts))
		vmm_halt(&vm, t->vcpu);
	usleep(100);
}

static void host(struct thread *t)
{
	uint64_t from = first(t), i, n = some(t, from);

	for (i = from; i < from + n; i++)
		((volatile char *)map)[i * PAGE] = t->acts;
	usleep(100);
}

static void hole(struct thread *t)
{
	uint64_t from = first(t);

	fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, from * PAGE, some(t, from) * PAGE);
}

static void allocation(struct thread *t)
{
	uint64_t from = first(t);

	fallocate(fd, FALLOC_FL_KEEP_SIZE, from * PAGE, some(t, from) * PAGE);
}

static void policy(struct thread *t)
{
	static const int modes[] = { MPOL_DEFAULT, MPOL_BIND, MPOL_INTERLEAVE, MPOL_PREFERRED_MANY };
	int mode = modes[roll(t, 4)];
	uint64_t from = first(t);

	set_policy(map + from * PAGE, some(t, from) * PAGE, mode,
		   mode == MPOL_DEFAULT ? 0 : mode == MPOL_BIND ? NODE(roll(t, 2)) : BOTH_NODES);
}

static void advice(struct thread *t)
{
	static const int advices[] = {
		MADV_DONTNEED, MADV_PAGEOUT, MADV_COLD, MADV_HUGEPAGE, MADV_POPULATE_READ,
		MADV_POPULATE_WRITE, MADV_WILLNEED,
	};
	uint64_t from = first(t);
	char *p;

	madvise(map + from * PAGE, some(t, from) * PAGE, advices[roll(t, 7)]);
	p = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	must(p != MAP_FAILED);
	(void)*(volatile char *)(p + from * PAGE);
	munmap(p, SIZE);
}

static int bind(void)
{
	return vmm_slot(&vm, VMM_TEST_SLOT, KVM_MEM_GUEST_MEMFD, VMM_TEST_GPA, SIZE, map, fd, 0);
}

static void slot(struct thread *t)
{
	vmm_delete_slot(&vm, VMM_TEST_SLOT);
	usleep(roll(t, 2000));
	bind();
	usleep(roll(t, 5000));
}

/* Another slot, whose file is closed at about the time that the slot is deleted. */
static int doomed;

static void *close_doomed(void *arg)
{
	close(doomed);
	return NULL;
}

static void doomed_slot(struct thread *t)
{
	pthread_t closer;

	doomed = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	must(!vmm_slot(&vm, VMM_TEST_SLOT + 1, KVM_MEM_GUEST_MEMFD, VMM_TEST_GPA + 2 * SIZE, SIZE,
		       NULL, doomed, 0));
	must(!fallocate(doomed, FALLOC_FL_KEEP_SIZE, 0, SIZE));
	must(!pthread_create(&closer, NULL, close_doomed, NULL));
	vmm_delete_slot(&vm, VMM_TEST_SLOT + 1);
	pthread_join(closer, NULL);
}

static void other_vm(struct thread *t)
{
	struct vmm other;
	int file;

	vmm_create(&other, 1);
	file = vmm_gmem(&other, SIZE, VMM_GMEM_BOTH);
	vmm_bind(&other, file, SIZE, NULL);
	vmm_write(&other, 0, VMM_TEST_GPA, N, 1);
	ioctl(other.fd, KVM_SET_TSC_KHZ, 0);
	if (roll(t, 2)) {
		close(file);
		vmm_destroy(&other);
	} else {
		vmm_destroy(&other);
		close(file);
	}
	usleep(roll(t, 20000));
}

static struct thread threads[] = {
	{ "guest", guest, 0 },
	{ "nested guest", nested_guest, 1 },
	{ "host", host },
	{ "hole", hole },
	{ "hole, again", hole },
	{ "fallocate", allocation },
	{ "policy", policy },
	{ "advice", advice },
	{ "slot", slot },
	{ "doomed slot", doomed_slot },
	{ "other VM", other_vm },
};

#define THREADS (sizeof(threads) / sizeof(threads[0]))

static void *run(void *arg)
{
	struct thread *t = arg;

	t->dice = prng_seed(seed * THREADS + (t - threads));
	while (!stop) {
		t->act(t);
		t->acts++;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	int bad = 0;
	uint64_t sum;
	size_t i;

	must(argc == 3);
	seed = strtoull(argv[2], NULL, 0);
	vmm_quiet = true;
	vmm_create(&vm, VCPUS);
	fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(map != MAP_FAILED && !bind());

	for (i = 0; i < THREADS; i++)
		must(!pthread_create(&threads[i].id, NULL, run, &threads[i]));
	sleep(atoi(argv[1]));
	stop = true;
	for (i = 0; i < THREADS; i++) {
		must(!pthread_join(threads[i].id, NULL));
		printf("# %s: %lu times\n", threads[i].name, threads[i].acts);
		bad += !threads[i].acts;
	}
	is(bad, 0, "seed %lu: each thread has done its part", seed);

	vmm_delete_slot(&vm, VMM_TEST_SLOT);
	is(bind(), 0, "afterwards a slot is bound");
	is(set_policy(map, SIZE, MPOL_BIND, NODE(1)), 0, "a policy is set");
	is(fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0, SIZE), 0, "all is a hole");
	must(!vmm_halt(&vm, 0));
	must(!vmm_sum(&vm, 0, VMM_TEST_GPA, N, &sum));
	is(sum, 0, "the guest reads zeroes");
	must(!vmm_write(&vm, 0, VMM_TEST_GPA, N, 7));
	for (i = 0; i < N; i++)
		bad += map[i * PAGE] != 7 || page_node(map + i * PAGE) != 1;
	is(bad, 0, "and what it writes is in the file, on the node of the policy");

	munmap(map, SIZE);
	close(fd);
	vmm_destroy(&vm);
	return tap_exit();
}
