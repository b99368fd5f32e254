// SPDX-License-Identifier: GPL-2.0-only
/*
 * race_private [SECONDS [SEED]]: private memory by policy, while what it depends on comes and goes.
 *
 * As in race_objects, two calls race. There are two kinds of VM: software-protected ones, whose
 * guests run on their private memory, and VMs with the model of the RMP, which notices what
 * hardware would not forgive. After each round, what the guest wrote must be there, unless the
 * round threw it away. Then, with nothing else going on, all pages are converted to shared and
 * back, after which every page must be where a page of the shared half is.
 *
 * At last, everything happens at once.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "numa.h"
#include "private.h"
#include "race.h"
#include "tap.h"
#include "vmm.h"

#define PARAMETER "/sys/module/kvm_gmem_numa/parameters/private_policy"

#define N 16UL
#define SIZE (N * PAGE)

enum kind {
	PROTECTED,
	MODEL,
	KINDS
};

static struct vmm vms[KINDS];	/* for all races */
static struct vmm mortal;	/* for races that end it */
static struct vmm *vm;		/* the current round's */
static enum kind kind;
static int fd;			/* private memory */
static int half_fd;		/* what the shared half is a mapping of; -1: anonymous memory */
static char *half;
static struct prng dice;

/* What the guest writes to the first page; each page gets one more than the page before. */
static uint64_t written;
/* The round throws away what the guest wrote, perhaps. */
static bool loses;

static void some_range(struct prng *r, uint64_t *first, uint64_t *n)
{
	*first = prng_below(r, N);
	*n = 1 + prng_below(r, N - *first);
}

/* --- the shared half */

static char *half_map(void *at)
{
	int flags = half_fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	char *p = mmap(at, SIZE, PROT_READ | PROT_WRITE, flags | (at ? MAP_FIXED : 0), half_fd, 0);

	must(p != MAP_FAILED);
	return p;
}

static void half_open(void)
{
	half_fd = -1;
	if (prng_below(&dice, 2)) {
		half_fd = memfd_create("shared half", MFD_CLOEXEC);
		must(half_fd >= 0 && !ftruncate(half_fd, SIZE));
	}
	half = half_map(NULL);
}

static void half_close(void)
{
	must(!munmap(half, SIZE));
	if (half_fd >= 0)
		close(half_fd);
}

/* Kernels before 6.9 do not know the last mode. */
static int some_policy(struct prng *r, uint64_t first, uint64_t n)
{
	static const struct {
		int mode;
		unsigned long nodes;
	} policies[] = {
		{ MPOL_BIND, NODE(0) },
		{ MPOL_BIND, NODE(1) },
		{ MPOL_PREFERRED, NODE(1) },
		{ MPOL_PREFERRED_MANY, NODE(0) },
		{ MPOL_INTERLEAVE, BOTH_NODES },
		{ MPOL_LOCAL, 0 },
		{ MPOL_DEFAULT, 0 },
		{ MPOL_WEIGHTED_INTERLEAVE, BOTH_NODES },
	};
	size_t i = prng_below(r, sizeof(policies) / sizeof(policies[0]));
	int err = set_policy(half + first * PAGE, n * PAGE, policies[i].mode, policies[i].nodes);

	return err && errno == EINVAL && policies[i].mode == MPOL_WEIGHTED_INTERLEAVE ? 0 : err;
}

/* --- the private memory */

static int slot_make(struct vmm *of)
{
	return vmm_slot(of, VMM_TEST_SLOT, KVM_MEM_GUEST_MEMFD, VMM_TEST_GPA, SIZE, half, fd, 0);
}

static int file_call(int mode, uint64_t first, uint64_t n)
{
	return fallocate(fd, FALLOC_FL_KEEP_SIZE | mode, first * PAGE, n * PAGE);
}

/* On 6.12, KVM_PRE_FAULT_MEMORY spins if a slot was deleted since the vCPU last ran. */
static int fault(int vcpu)
{
	return vmm_halt(vm, vcpu) ?: private_fault(vm, vcpu, VMM_TEST_GPA, SIZE);
}

static int get_pages(void)
{
	uint64_t i;
	int r = 0;

	for (i = 0; i < N && !r; i++)
		r = private_get_page(vm, VMM_TEST_GPA + i * PAGE);
	return r;
}

/*
 * While a page is converted, and its hole is punched, KVM_RUN fails, and a VMM calls it again. If
 * this goes on for ever, it says so.
 */
static int guest_writes(int vcpu)
{
	int tries = 1000, r;

	do
		r = vmm_write_rising(vm, vcpu, VMM_TEST_GPA, N, written, 1);
	while (r && errno == EFAULT && --tries);
	return r;
}

/* --- before */

static void round_begins(struct vmm *of)
{
	vm = of;
	written = 1 + prng_next(&dice) / 2;
	loses = false;
	race_result[0] = race_result[1] = 0;
	/* If the round before has failed, there is still a slot. */
	vmm_delete_slot(vm, VMM_TEST_SLOT);
	half_open();
	must(!some_policy(&dice, 0, N));
	must(!some_policy(&dice, N / 4, N / 2));
	fd = vmm_gmem(vm, SIZE, 0);
	must(!slot_make(vm));
	private_set(vm, VMM_TEST_GPA, SIZE, true);
}

static void new_protected(void)
{
	kind = PROTECTED;
	round_begins(&vms[kind]);
}

static void new_model(void)
{
	kind = MODEL;
	round_begins(&vms[kind]);
}

static void new_any(void)
{
	if (prng_below(&dice, 2))
		new_model();
	else
		new_protected();
}

static void open_vm(struct vmm *v, enum kind k, int nr_vcpus)
{
	if (k == MODEL) {
		private_create(v, nr_vcpus);
		return;
	}
	vmm_open_type(v, KVM_X86_SW_PROTECTED_VM);
	vmm_start(v, nr_vcpus);
}

static void new_mortal(void)
{
	kind = prng_below(&dice, KINDS);
	open_vm(&mortal, kind, 1);
	round_begins(&mortal);
}

static void new_mortal_protected(void)
{
	kind = PROTECTED;
	open_vm(&mortal, kind, 1);
	round_begins(&mortal);
}

/* --- what races; the first side */

static void guest(void)
{
	RESULT(0, guest_writes(0));
}

static void fault_first(void)
{
	RESULT(0, fault(0));
}

static void page_asked_for(void)
{
	RESULT(0, get_pages());
}

static void populate_first(void)
{
	long r = private_populate(vm, VMM_TEST_GPA, N, NULL);

	RESULT(0, r < 0 ? -1 : 0);
}

static void allocation(void)
{
	RESULT(0, file_call(0, 0, N));
}

/* The exit status is an errno. */
static int in_other_process(int (*call)(void))
{
	pid_t pid = fork();
	int status;

	must(pid >= 0);
	if (!pid)
		_exit(call() ? errno : 0);
	must(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	errno = WEXITSTATUS(status);
	return errno ? -1 : 0;
}

static int allocate_all(void)
{
	return file_call(0, 0, N);
}

static void allocation_by_other(void)
{
	RESULT(0, in_other_process(allocate_all));
}

static void dying_guest(void)
{
	RESULT(0, guest_of_mortal(&mortal, VMM_TEST_GPA, N));
}

static int created;

static void file_created(void)
{
	created = vmm_gmem_try(vm, SIZE, 0);
	RESULT(0, created < 0 ? -1 : 0);
}

/* --- what races; the second side */

static struct prng other_dice;	/* the first side does not use dice */

/* As VMMs do. The attributes change first, and then what was private is forgotten. */
static int convert(struct prng *r)
{
	uint64_t first, n;

	loses = true;
	some_range(r, &first, &n);
	private_set(vm, VMM_TEST_GPA + first * PAGE, n * PAGE, false);
	if (file_call(FALLOC_FL_PUNCH_HOLE, first, n))
		return -1;
	private_set(vm, VMM_TEST_GPA + first * PAGE, n * PAGE, true);
	return 0;
}

static void conversion(void)
{
	RESULT(1, convert(&other_dice));
}

static int punch(struct prng *r)
{
	uint64_t first, n;

	loses = true;
	some_range(r, &first, &n);
	return file_call(FALLOC_FL_PUNCH_HOLE, first, n);
}

static void hole(void)
{
	RESULT(1, punch(&other_dice));
}

static int set_some_policy(struct prng *r)
{
	uint64_t first, n;

	some_range(r, &first, &n);
	return some_policy(r, first, n);
}

static void policy(void)
{
	RESULT(1, set_some_policy(&other_dice));
}

/* The VMM's mapping goes, and another one comes. */
static int map_anew(struct prng *r)
{
	munmap(half, SIZE);
	half_map(half);
	return some_policy(r, 0, N);
}

static void mapping(void)
{
	RESULT(1, map_anew(&other_dice));
}

static int make_slot_anew(void)
{
	return vmm_delete_slot(vm, VMM_TEST_SLOT) ?: slot_make(vm);
}

static void slot(void)
{
	RESULT(1, make_slot_anew());
}

static void slot_deleted(void)
{
	RESULT(1, vmm_delete_slot(vm, VMM_TEST_SLOT));
}

static void file_closed(void)
{
	loses = true;
	RESULT(1, close(fd));
}

static int switch_twice(void)
{
	write_file(PARAMETER, "0");
	write_file(PARAMETER, "1");
	return 0;
}

static void switched(void)
{
	RESULT(1, switch_twice());
}

static void fault_second(void)
{
	RESULT(1, fault(1));
}

static void guest_second(void)
{
	RESULT(1, guest_writes(1));
}

static void populate_second(void)
{
	loses = true;
	RESULT(1, private_populate(vm, VMM_TEST_GPA, N, NULL) == N ? 0 : -1);
}

static void allocation_second(void)
{
	RESULT(1, file_call(0, 0, N));
}

static void vm_closed(void)
{
	vmm_destroy(&mortal);
}

static void unload(void)
{
	race_result[1] = unload_is_refused() ? 0 : -1;
}

/* --- after */

static bool model_is_content(void)
{
	struct private_mem_rmp rmp = private_rmp();

	if (rmp.wrong)
		printf("#   the model: %s\n", rmp.first);
	expect(!rmp.wrong);
	return true;
}

/* If the guest was not disturbed in the end, each page has what it wrote, or was thrown away. */
static bool contents_are_right(void)
{
	uint64_t i, value;

	for (i = 0; i < N; i++) {
		expect(!vmm_sum(vm, 0, VMM_TEST_GPA + i * PAGE, 1, &value));
		expect(value == written + i || (loses && !value));
	}
	return true;
}

static int allocate_by_guest(void)
{
	return guest_writes(0);
}

static int allocate_by_fault(void)
{
	return fault(1);
}

static bool can_populate;

static int allocate_by_populate(void)
{
	if (!can_populate)
		return get_pages();
	return private_populate(vm, VMM_TEST_GPA, N, NULL) == N ? 0 : -1;
}

static int (*const allocations[KINDS][4])(void) = {
	[PROTECTED] = { allocate_by_guest, allocate_by_fault, allocate_all, allocate_by_guest },
	[MODEL] = { get_pages, allocate_by_fault, allocate_all, allocate_by_populate },
};

/* Where the shared half has no policy, the task decides, and it does not move. */
static bool shared_half_agrees(void)
{
	int8_t nodes[N];
	uint64_t i;

	private_nodes(vm, PRIVATE_MEM_PAGE_CACHE, VMM_TEST_GPA, N, nodes);
	must(!madvise(half, SIZE, half_fd < 0 ? MADV_DONTNEED : MADV_REMOVE));
	for (i = 0; i < N; i++) {
		half[i * PAGE] = 1;
		expect(nodes[i] == page_node(half + i * PAGE));
	}
	return true;
}

/* All is quiet now, so every page must be where it belongs. */
static bool policy_holds(void)
{
	private_share(vm, fd, 0, VMM_TEST_GPA, SIZE);
	must(!some_policy(&dice, 0, N) && !some_policy(&dice, 0, N / 2));
	private_set(vm, VMM_TEST_GPA, SIZE, true);
	expect(!vmm_halt(vm, 0) && !vmm_halt(vm, 1));
	expect(!allocations[kind][prng_below(&dice, 4)]());
	expect(shared_half_agrees());
	if (kind == PROTECTED) {
		loses = false;
		expect(!guest_writes(1) && contents_are_right());
	}
	return model_is_content();
}

static bool slot_is_over(void)
{
	expect(!vmm_delete_slot(vm, VMM_TEST_SLOT));
	private_set(vm, VMM_TEST_GPA, SIZE, false);
	close(fd);
	half_close();
	return true;
}

static bool all_works(void)
{
	bool holds = policy_holds();

	return slot_is_over() && holds;
}

static bool after_both(void)
{
	expect(said(0, 0, 0) && said(1, 0, 0));
	return all_works();
}

static bool after_guest(void)
{
	expect(said(0, 0, 0) && said(1, 0, 0));
	return contents_are_right() && all_works();
}

/* A page that is shared, or a hole, at the wrong moment is refused. */
static bool after_conversion(void)
{
	expect((said(0, 0, 0) || said(0, -1, EFAULT) || said(0, -1, EINVAL)) && said(1, 0, 0));
	return all_works();
}

static bool slot_was_missed(void)
{
	expect(said(0, 0, 0) || said(0, -1, EFAULT) || said(0, -1, EINVAL));
	expect(said(1, 0, 0));
	return true;
}

static bool after_slot(void)
{
	return slot_was_missed() && all_works();
}

static bool after_slot_deleted(void)
{
	expect(slot_was_missed() && !slot_make(vm));
	return all_works();
}

static bool after_populate(void)
{
	expect(said(0, 0, 0) && (said(1, 0, 0) || said(1, -1, EEXIST)));
	return all_works();
}

static bool after_close(void)
{
	expect(said(0, 0, 0) || said(0, -1, EFAULT) || said(0, -1, EBADF) || said(0, -1, EINVAL));
	expect(said(1, 0, 0));
	if (kind == PROTECTED)
		expect(vmm_write(vm, 0, VMM_TEST_GPA + PAGE, 1, 1) == -1 && errno == EFAULT);
	expect(!vmm_halt(vm, 0) && !vmm_delete_slot(vm, VMM_TEST_SLOT));
	fd = vmm_gmem(vm, SIZE, 0);
	expect(!slot_make(vm));
	return all_works();
}

static bool after_vm(void)
{
	close(fd);
	half_close();
	return model_is_content();
}

static bool after_creation(void)
{
	expect(said(0, 0, 0) && said(1, 0, 0));
	/* Its pages go by the policy as well, if it was created while the parameter was set. */
	close(created);
	return all_works();
}

/* --- a process that dies, while its file lives on */

static pid_t owner;

static void owner_lives(int socket)
{
	open_vm(&mortal, kind, 1);
	round_begins(&mortal);
	send_fd(socket, fd);
	for (;;) {
		if (kind == PROTECTED)
			guest_writes(0);
		else
			fault(0);
		file_call(FALLOC_FL_PUNCH_HOLE, 0, N);
	}
}

static void new_owner(void)
{
	int sockets[2];

	kind = prng_below(&dice, KINDS);
	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	owner = fork();
	must(owner >= 0);
	if (!owner)
		owner_lives(sockets[1]);
	fd = receive_fd(sockets[0]);
	close(sockets[0]);
	close(sockets[1]);
}

static void owner_killed(void)
{
	int status;

	must(!kill(owner, SIGKILL));
	RESULT(1, waitpid(owner, &status, 0) == owner && WIFSIGNALED(status) ? 0 : -1);
}

static bool after_owner(void)
{
	expect(said(0, 0, 0) && said(1, 0, 0));
	expect(!file_call(0, 0, N));
	close(fd);
	return model_is_content();
}

static const struct race_pair pairs[] = {
	{ "guest access", "conversion", new_protected, guest, conversion, after_guest },
	{ "guest access", "hole", new_protected, guest, hole, after_guest },
	{ "guest access", "mbind", new_protected, guest, policy, after_guest },
	{ "guest access", "userspace_addr mapped anew", new_protected, guest, mapping, after_guest },
	{ "guest access", "memslot made anew", new_protected, guest, slot, after_slot },
	{ "guest access", "memslot deleted", new_protected, guest, slot_deleted, after_slot_deleted },
	{ "guest access", "close", new_protected, guest, file_closed, after_close },
	{ "guest access", "fallocate", new_protected, guest, allocation_second, after_guest },
	{ "guest access", "fault", new_protected, guest, fault_second, after_guest },
	{ "guest access", "another vCPU's", new_protected, guest, guest_second, after_guest },
	{ "guest access", "parameter set", new_protected, guest, switched, after_guest },
	{ "guest access", "unload attempt", new_protected, guest, unload, after_guest },
	{ "guest access", "VM closed", new_mortal_protected, dying_guest, vm_closed, after_vm },
	{ "fault", "conversion", new_any, fault_first, conversion, after_conversion },
	{ "fault", "mbind", new_any, fault_first, policy, after_both },
	{ "fault", "userspace_addr mapped anew", new_any, fault_first, mapping, after_both },
	{ "fault", "close", new_any, fault_first, file_closed, after_close },
	{ "fault", "parameter set", new_any, fault_first, switched, after_both },
	{ "fault", "another vCPU's", new_model, fault_first, fault_second, after_both },
	{ "get_pfn", "conversion", new_model, page_asked_for, conversion, after_conversion },
	{ "get_pfn", "hole", new_model, page_asked_for, hole, after_both },
	{ "get_pfn", "mbind", new_model, page_asked_for, policy, after_both },
	{ "get_pfn", "memslot made anew", new_model, page_asked_for, slot, after_slot },
	{ "get_pfn", "fault", new_model, page_asked_for, fault_second, after_both },
	{ "populate", "conversion", new_model, populate_first, conversion, after_conversion },
	{ "populate", "hole", new_model, populate_first, hole, after_both },
	{ "populate", "mbind", new_model, populate_first, policy, after_both },
	{ "populate", "userspace_addr mapped anew", new_model, populate_first, mapping, after_both },
	{ "populate", "memslot made anew", new_model, populate_first, slot, after_slot },
	{ "populate", "close", new_model, populate_first, file_closed, after_close },
	{ "populate", "parameter set", new_model, populate_first, switched, after_both },
	{ "fallocate", "populate", new_model, allocation, populate_second, after_populate },
	{ "fallocate", "conversion", new_any, allocation, conversion, after_both },
	{ "fallocate", "mbind", new_any, allocation, policy, after_both },
	{ "fallocate", "userspace_addr mapped anew", new_any, allocation, mapping, after_both },
	{ "fallocate", "memslot made anew", new_any, allocation, slot, after_both },
	{ "fallocate", "parameter set", new_any, allocation, switched, after_both },
	{ "fallocate", "VM closed", new_mortal, allocation, vm_closed, after_vm },
	{ "fallocate by another process", "memslot made anew", new_any, allocation_by_other, slot,
	  after_both },
	{ "fallocate by another process", "fault", new_any, allocation_by_other, fault_second,
	  after_both },
	{ "fallocate by another process", "VM closed", new_mortal, allocation_by_other, vm_closed,
	  after_vm },
	{ "fallocate", "SIGKILL of the VMM", new_owner, allocation, owner_killed, after_owner },
	{ "file created", "parameter set", new_any, file_created, switched, after_creation },
	{ "file created", "unload attempt", new_any, file_created, unload, after_creation },
};

#define PAIRS (sizeof(pairs) / sizeof(pairs[0]))

static bool patches_text;

static bool is_possible(const struct race_pair *p)
{
	return (patches_text || p->other != switched) &&
	       (can_populate || (p->one != populate_first && p->other != populate_second));
}

/* --- everything at once */

static volatile bool stop;
/* Or else pages are pre-faulted, in which 6.12 would never end. */
static bool slots_change;
struct actor {
	void (*act)(struct actor *a);
	pthread_t thread;
	struct prng dice;
	int cpu;
	long turns;
};

static void act_guest(struct actor *a)
{
	if (kind == PROTECTED)
		guest_writes(0);
	else if (!slots_change)
		fault(0);
	else
		get_pages();
}

static void act_second(struct actor *a)
{
	if (slots_change)
		file_call(0, 0, N);
	else
		fault(1);
}

/*
 * A guest that touches a shared page, while there is no slot, leaves a mark in KVM's page table. A
 * conversion without a slot does not remove it, and software-protected guests then fault for ever.
 */
static void act_convert(struct actor *a)
{
	must(!(kind == PROTECTED && slots_change ? punch(&a->dice) : convert(&a->dice)));
}

static void act_allocate(struct actor *a)
{
	uint64_t first, n;

	some_range(&a->dice, &first, &n);
	must(!file_call(0, first, n));
}

static void act_policy(struct actor *a)
{
	set_some_policy(&a->dice);
}

static void act_mapping(struct actor *a)
{
	map_anew(&a->dice);
	usleep(prng_below(&a->dice, 2000));
}

static void act_slot(struct actor *a)
{
	if (slots_change)
		must(!make_slot_anew());
	usleep(prng_below(&a->dice, 2000));
}

static void act_switch(struct actor *a)
{
	if (patches_text)
		switch_twice();
	usleep(prng_below(&a->dice, 20000));
}

static void *actor_lives(void *arg)
{
	struct actor *a = arg;

	pin_to(a->cpu);
	while (!stop) {
		a->act(a);
		a->turns++;
	}
	return NULL;
}

static struct actor actors[] = {
	{ act_guest }, { act_second }, { act_convert }, { act_allocate },
	{ act_policy }, { act_mapping }, { act_slot }, { act_switch },
};

#define ACTORS (sizeof(actors) / sizeof(actors[0]))

static bool all_at_once(double seconds)
{
	int cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t i;

	slots_change = prng_below(&dice, 2);
	new_any();
	stop = false;
	for (i = 0; i < ACTORS; i++) {
		actors[i].dice = prng_seed(prng_next(&dice));
		actors[i].cpu = prng_below(&dice, cpus);
		must(!pthread_create(&actors[i].thread, NULL, actor_lives, &actors[i]));
	}
	usleep(seconds * 1e6);
	stop = true;
	for (i = 0; i < ACTORS; i++)
		must(!pthread_join(actors[i].thread, NULL));
	return all_works();
}

static uint64_t storm(double seconds)
{
	double end = seconds_now() + seconds;
	uint64_t rounds = 0, bad = 0;
	size_t i;

	while (bad < 3 && (rounds < RACE_ROUNDS_MIN || seconds_now() < end)) {
		bad += !all_at_once(seconds / 10);
		rounds++;
	}
	for (i = 0; i < ACTORS; i++)
		printf("#   actor %zu: %ld turns\n", i, actors[i].turns);
	ok(!bad, "everything at once: %lu rounds", rounds);
	return rounds;
}

/* Why there is nothing to test, or NULL. */
static const char *nothing_to_test(void)
{
	struct vmm v;
	int types;

	if (!private_memory_exists())
		return "this kernel has no private memory";
	vmm_open(&v);
	types = vmm_cap(v.kvm_fd, KVM_CAP_VM_TYPES);
	close(v.fd);
	close(v.kvm_fd);
	return types > 0 && types & 1 << KVM_X86_SW_PROTECTED_VM ? NULL :
	       "KVM has private memory with nested paging only";
}

int main(int argc, char **argv)
{
	double begin = seconds_now(), seconds = argc > 1 ? atof(argv[1]) : 10;
	const char *why = nothing_to_test();
	uint64_t iterations = 0;
	enum kind k;
	size_t i;

	if (why) {
		tap_skip(why, "private memory");
		return 0;
	}
	dice = prng_seed(argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL));
	other_dice = prng_seed(prng_next(&dice));
	patches_text = !getenv("RACE_NO_PATCHING");
	can_populate = private_can_populate();
	guard_init();
	vmm_quiet = true;
	for (k = 0; k < KINDS; k++)
		open_vm(&vms[k], k, 2);
	for (i = 0; i < PAIRS; i++) {
		if (!is_possible(&pairs[i]))
			continue;
		iterations += race_pair_run(&pairs[i], &dice, seconds * 3 / 4 / PAIRS);
	}
	iterations += storm(seconds / 4);
	for (k = 0; k < KINDS; k++)
		vmm_destroy(&vms[k]);
	private_check_rmp();
	printf("# count race-seconds %.0f\n", seconds_now() - begin);
	printf("# count race-iterations %lu\n", iterations);
	return tap_exit();
}
