// SPDX-License-Identifier: GPL-2.0-only
/*
 * bystander MILLISECONDS: runs VMs that use nothing of the module, until SIGTERM, while the module
 * is loaded and unloaded. Each ioctl must answer as it should, the guests must find in memory what
 * they wrote, and no run of a guest may take MILLISECONDS.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"
#include "vmm.h"

#define N 64UL
#define SIZE (N * PAGE)
#define OTHER_SLOT 2
#define OTHER_GPA (VMM_TEST_GPA + 4 * MIB)
#define MOVED_GPA (VMM_TEST_GPA + 8 * MIB)
#define NR_CAPS 256

static volatile sig_atomic_t stop;
static struct vmm shared;
static int caps[2][NR_CAPS]; /* of /dev/kvm, of a VM */

struct thread {
	const char *name;
	void (*round)(struct thread *t);
	uint64_t rounds;	/* also the value written to memory */
	uint64_t worst;		/* of a guest's run, in ns */
	uint64_t errors;
	const char *error;
	int error_number;
	struct vmm vm;
	char *p;
	pthread_t id;
};

/* Counts the errors, and records the first one. */
#define expect(t, cond)							\
	do {								\
		if (!(cond) && !(t)->errors++) {			\
			(t)->error = #cond;				\
			(t)->error_number = errno;			\
		}							\
	} while (0)

static void on_term(int sig)
{
	stop = 1;
}

static uint64_t now(void)
{
	struct timespec ts;

	must(!clock_gettime(CLOCK_MONOTONIC, &ts));
	return ts.tv_sec * 1000000000UL + ts.tv_nsec;
}

static void note_pause(struct thread *t, uint64_t since)
{
	uint64_t took = now() - since;

	if (took > t->worst)
		t->worst = took;
}

static void expect_write(struct thread *t, struct vmm *vm, int vcpu, enum vmm_nesting nesting,
			 uint64_t gpa, uint64_t n, uint64_t value)
{
	uint64_t start = now();

	expect(t, !vmm_write_nested(vm, vcpu, nesting, gpa, n, value));
	note_pause(t, start);
}

static void expect_sum(struct thread *t, struct vmm *vm, int vcpu, uint64_t gpa, uint64_t sum)
{
	uint64_t start = now(), found = 0;

	expect(t, !vmm_sum(vm, vcpu, gpa, N, &found));
	note_pause(t, start);
	expect(t, found == sum);
}

static char *memory(void)
{
	char *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED);
	return p;
}

static void test_slot(struct thread *t, uint32_t flags)
{
	t->p = memory();
	must(!vmm_slot(&t->vm, VMM_TEST_SLOT, flags, VMM_TEST_GPA, SIZE, t->p, -1, 0));
}

/* Takes half of the pages from the guest, so that it faults again. */
static void faults(struct thread *t)
{
	uint64_t i, found = 0;

	if (!t->p) {
		t->p = memory();
		must(!vmm_slot(&shared, VMM_TEST_SLOT, 0, VMM_TEST_GPA, SIZE, t->p, -1, 0));
	}
	expect_write(t, &shared, 0, VMM_L1, VMM_TEST_GPA, N, t->rounds);
	for (i = 0; i < N; i++)
		found += *(volatile uint64_t *)(t->p + i * PAGE) == t->rounds;
	expect(t, found == N);
	expect(t, !madvise(t->p, SIZE / 2, MADV_DONTNEED));
	expect_sum(t, &shared, 0, VMM_TEST_GPA, t->rounds * N / 2);
}

/* Runs in the VM whose other vCPU takes these faults. */
static void memslots(struct thread *t)
{
	if (!t->p)
		t->p = memory();
	expect(t, !vmm_slot(&shared, OTHER_SLOT, 0, OTHER_GPA, SIZE, t->p, -1, 0));
	expect_write(t, &shared, 1, VMM_L1, OTHER_GPA, N, t->rounds);
	expect(t, !vmm_slot(&shared, OTHER_SLOT, KVM_MEM_LOG_DIRTY_PAGES, OTHER_GPA, SIZE, t->p, -1, 0));
	expect_sum(t, &shared, 1, OTHER_GPA, t->rounds * N);
	expect(t, vmm_slot(&shared, OTHER_SLOT + 1, 0, OTHER_GPA, SIZE, t->p, -1, 0) &&
		  errno == EEXIST);
	expect(t, !vmm_slot(&shared, OTHER_SLOT, 0, OTHER_GPA, SIZE, t->p, -1, 0));
	expect(t, !vmm_slot(&shared, OTHER_SLOT, 0, MOVED_GPA, SIZE, t->p, -1, 0));
	expect_sum(t, &shared, 1, MOVED_GPA, t->rounds * N);
	expect(t, !vmm_delete_slot(&shared, OTHER_SLOT));
	expect(t, vmm_delete_slot(&shared, OTHER_SLOT) && errno == EINVAL);
}

/* The log must have exactly the pages written since it was last read. */
static void dirty_log(struct thread *t)
{
	uint64_t first = t->rounds % (N / 2), n = 1 + t->rounds % (N / 2), i, wrong = 0;
	uint64_t bitmap[N / 64] = {};
	struct kvm_dirty_log log = { .slot = VMM_TEST_SLOT, .dirty_bitmap = bitmap };

	if (!t->p) {
		vmm_create(&t->vm, 1);
		test_slot(t, KVM_MEM_LOG_DIRTY_PAGES);
	}
	expect_write(t, &t->vm, 0, VMM_L1, VMM_TEST_GPA + first * PAGE, n, t->rounds);
	expect(t, !ioctl(t->vm.fd, KVM_GET_DIRTY_LOG, &log));
	for (i = 0; i < N; i++)
		wrong += (bitmap[i / 64] >> i % 64 & 1) != (i >= first && i < first + n);
	expect(t, !wrong);
}

/* Runs a nested guest with shadow paging on top of nested paging, then with nested paging twice. */
static void nested(struct thread *t)
{
	if (!t->p) {
		vmm_create(&t->vm, 1);
		test_slot(t, 0);
	}
	expect_write(t, &t->vm, 0, t->rounds % 2 ? VMM_L2 : VMM_L2_NPT, VMM_TEST_GPA, N, t->rounds);
	expect(t, !madvise(t->p, SIZE / 2, MADV_DONTNEED));
	expect_sum(t, &t->vm, 0, VMM_TEST_GPA, t->rounds * N / 2);
}

/* For the module's capabilities, the module may answer. */
static bool cap_is_right(int cap, bool vm, int value)
{
	if (value == caps[vm][cap])
		return true;

	switch (cap) {
	case KVM_CAP_USER_MEMORY2:
	case KVM_CAP_GUEST_MEMFD:
		return value == 1;
	case KVM_CAP_GUEST_MEMFD_FLAGS:
		return value == 3;
	default:
		return false;
	}
}

/* The module changes KVM_SET_TSC_KHZ on a VM that has a vCPU on purpose. */
static void questions(struct thread *t)
{
	struct kvm_pit_config config = {};
	struct kvm_pit_state2 pit = {};
	bool vm = t->rounds % 2;
	int i, khz, wrong = 0;

	if (!t->vm.fd) {
		vmm_create(&t->vm, 0);
		must(!ioctl(t->vm.fd, KVM_CREATE_IRQCHIP, 0));
		must(!ioctl(t->vm.fd, KVM_CREATE_PIT2, &config));
		vmm_add_vcpu(&t->vm);
	}
	for (i = 0; i < NR_CAPS; i++)
		wrong += !cap_is_right(i, vm, vmm_cap(vm ? t->vm.fd : t->vm.kvm_fd, i));
	expect(t, !wrong);

	pit.channels[0].count = 1 + t->rounds % 65535;
	expect(t, !ioctl(t->vm.fd, KVM_SET_PIT2, &pit));
	memset(&pit, 0, sizeof(pit));
	expect(t, !ioctl(t->vm.fd, KVM_GET_PIT2, &pit));
	expect(t, pit.channels[0].count == 1 + t->rounds % 65535);

	khz = ioctl(t->vm.vcpu[0].fd, KVM_GET_TSC_KHZ, 0);
	expect(t, khz > 0);
	expect(t, !ioctl(t->vm.vcpu[0].fd, KVM_SET_TSC_KHZ, khz));
	expect(t, ioctl(t->vm.vcpu[0].fd, KVM_GET_TSC_KHZ, 0) == khz);
	expect(t, !ioctl(t->vm.fd, KVM_SET_TSC_KHZ, khz) || errno == EINVAL);
	expect(t, ioctl(t->vm.fd, KVM_GET_API_VERSION, 0) == -1 && errno == ENOTTY);
	expect(t, ioctl(t->vm.fd, KVM_CREATE_IRQCHIP, 0) == -1 && errno == EEXIST);
}

/* A VM's whole life. Its TSC frequency can be set as long as it has no vCPU. */
static void lives(struct thread *t)
{
	int khz;

	vmm_create(&t->vm, 0);
	khz = ioctl(t->vm.fd, KVM_GET_TSC_KHZ, 0);
	expect(t, khz > 0 && !ioctl(t->vm.fd, KVM_SET_TSC_KHZ, khz));
	vmm_add_vcpu(&t->vm);
	expect(t, ioctl(t->vm.vcpu[0].fd, KVM_GET_TSC_KHZ, 0) == khz);
	test_slot(t, 0);
	expect_write(t, &t->vm, 0, VMM_L1, VMM_TEST_GPA, N, t->rounds);
	expect_sum(t, &t->vm, 0, VMM_TEST_GPA, t->rounds * N);
	vmm_destroy(&t->vm);
	munmap(t->p, SIZE);
}

static struct thread threads[] = {
	{ "guest faults", faults },
	{ "memslots", memslots },
	{ "dirty logging", dirty_log },
	{ "nested guest", nested },
	{ "capabilities, PIT, TSC", questions },
	{ "VMs that come and go", lives },
};

#define THREADS (sizeof(threads) / sizeof(threads[0]))

static void *run(void *arg)
{
	struct thread *t = arg;

	while (!stop) {
		t->rounds++;
		t->round(t);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	uint64_t total = 0, i, limit;

	must(argc == 2);
	limit = strtoull(argv[1], NULL, 0);
	signal(SIGTERM, on_term);
	vmm_create(&shared, 2);
	for (i = 0; i < NR_CAPS; i++) {
		caps[false][i] = vmm_cap(shared.kvm_fd, i);
		caps[true][i] = vmm_cap(shared.fd, i);
	}
	puts("# ready");
	for (i = 0; i < THREADS; i++)
		must(!pthread_create(&threads[i].id, NULL, run, &threads[i]));
	for (i = 0; i < THREADS; i++) {
		struct thread *t = &threads[i];

		must(!pthread_join(t->id, NULL));
		if (!ok(t->rounds && !t->errors, "%s: everything is as it should be", t->name))
			printf("#   %lu errors, the first: %s (errno %d)\n", t->errors, t->error,
			       t->error_number);
		printf("# %s: %lu rounds, longest run %lu.%03lu ms\n", t->name, t->rounds,
		       t->worst / 1000000, t->worst / 1000 % 1000);
		if (t->worst)
			ok(t->worst < limit * 1000000, "%s: no run took %lu ms", t->name, limit);
		total += t->rounds;
	}
	printf("# count bystander-rounds %lu\n", total);
	return tap_exit();
}
