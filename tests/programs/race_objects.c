// SPDX-License-Identifier: GPL-2.0-only
/*
 * race_objects [SECONDS [SEED]]: objects that end while they are used. Two calls race; afterwards,
 * whatever is left must work, and what is gone must be refused.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "huge.h"
#include "numa.h"
#include "race.h"
#include "tap.h"
#include "vmm.h"

#define N (huge ? HUGE_PAGES : 16UL)	/* pages of the file */
#define SIZE (N * PAGE)
#define OTHER_SLOT (VMM_TEST_SLOT + 1)
#define OTHER_GPA (VMM_TEST_GPA + 4 * SIZE)

static struct vmm vm;		/* for all races */
static struct vmm mortal;	/* for races that end it */
static int fd;
static char *map;
static struct prng dice;
static bool npt;
static bool huge;		/* the file can have folios of 2 MiB */
static uint64_t huge_rounds;	/* in which it had one */

static char *map_file(void)
{
	return huge_map(fd, SIZE);
}

static bool punch(uint64_t offset, uint64_t size)
{
	return !fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, size);
}

static int bind_to(struct vmm *to, uint32_t slot, uint64_t gpa)
{
	return vmm_slot(to, slot, KVM_MEM_GUEST_MEMFD, gpa, SIZE, NULL, fd, 0);
}

/* --- before */

static void new_file(void)
{
	fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	map = NULL;
}

static void new_slot(void)
{
	new_file();
	must(!bind_to(&vm, VMM_TEST_SLOT, VMM_TEST_GPA));
	if (prng_below(&dice, 2))
		must(!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, SIZE / 2));
}

static void new_mapped_slot(void)
{
	new_slot();
	map = map_file();
}

/* The mapping is the last reference to the file. */
static void new_mapping(void)
{
	new_mapped_slot();
	must(guarded(*(volatile char *)map = 1));
	must(!close(fd));
}

static void new_vm(void)
{
	vmm_create(&mortal, 2);
	fd = vmm_gmem(&mortal, SIZE, VMM_GMEM_BOTH);
	map = map_file();
	must(!set_policy(map, SIZE, MPOL_BIND, NODE(1)));
	must(!bind_to(&mortal, VMM_TEST_SLOT, VMM_TEST_GPA));
}

/* --- what races */

static void guest(void)
{
	RESULT(0, vmm_write(&vm, 0, VMM_TEST_GPA, N, 7));
}

static void nested_guest(void)
{
	RESULT(0, vmm_write_nested(&vm, 1, npt && prng_below(&dice, 2) ? VMM_L2_NPT : VMM_L2, VMM_TEST_GPA, N, 7));
}

/* The result is not checked. */
static void dying_guest(void)
{
	RESULT(0, guest_of_mortal(&mortal, VMM_TEST_GPA, N));
}

static bool store(volatile char *p)
{
	return guarded(*p = 7);
}

static void host(void)
{
	uint64_t i;

	race_result[0] = 0;
	for (i = 0; i < N; i++)
		race_result[0] += store(map + i * PAGE);
}

static void hole(void)
{
	RESULT(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, SIZE));
}

static void allocation(void)
{
	RESULT(0, fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, SIZE));
}

static void policy(void)
{
	RESULT(0, set_policy(map, SIZE, MPOL_INTERLEAVE, BOTH_NODES));
}

static uint64_t failed_pfn;

static void memory_failure(void)
{
	RESULT(0, !poison(map));
}

static void binding(void)
{
	RESULT(0, bind_to(&vm, VMM_TEST_SLOT, VMM_TEST_GPA));
}

static void other_binding(void)
{
	RESULT(1, bind_to(&vm, OTHER_SLOT, OTHER_GPA));
}

static void slot_deleted(void)
{
	RESULT(1, vmm_delete_slot(&vm, VMM_TEST_SLOT));
}

static void slot_deleted_first(void)
{
	RESULT(0, vmm_delete_slot(&vm, VMM_TEST_SLOT));
}

static void file_closed(void)
{
	RESULT(1, close(fd));
}

static void file_closed_first(void)
{
	RESULT(0, close(fd));
}

static void unmapped(void)
{
	RESULT(1, munmap(map, SIZE));
}

static void vm_closed(void)
{
	vmm_destroy(&mortal);
}

static void unload(void)
{
	race_result[1] = unload_is_refused();
}

static void file_created(void)
{
	RESULT(0, vmm_gmem_try(&vm, SIZE, VMM_GMEM_BOTH));
}

/* --- after */

/* Guest, host and file agree, and a punched hole is a hole for both guest and host. */
static bool all_works(struct vmm *of, int vcpu)
{
	uint64_t i, sum;

	expect(punch(0, SIZE));
	expect(!vmm_sum(of, vcpu, VMM_TEST_GPA, N, &sum) && !sum);
	for (i = 0; i < N; i++)
		*(uint64_t *)(map + i * PAGE) = i + 1;
	expect(!vmm_sum(of, vcpu, VMM_TEST_GPA, N, &sum) && sum == N * (N + 1) / 2);
	expect(!vmm_write(of, vcpu, VMM_TEST_GPA, N, 9));
	for (i = 0; i < N; i++)
		expect(map[i * PAGE] == 9);
	return true;
}

static bool guest_is_refused(int vcpu)
{
	struct kvm_run *run = vm.vcpu[vcpu].run;

	run->exit_reason = 0;
	expect(vmm_write(&vm, vcpu, VMM_TEST_GPA + PAGE, 1, 1) == -1 && errno == EFAULT);
	expect(run->exit_reason == KVM_EXIT_MEMORY_FAULT);
	expect(run->memory_fault.gpa == VMM_TEST_GPA + PAGE);
	expect(!vmm_halt(&vm, vcpu));
	return true;
}

/* The guest may have been served before the file was closed, but is not served any more. */
static bool after_close(void)
{
	int vcpu;

	expect(said(0, 0, 0) || said(0, -1, EFAULT));
	expect(said(1, 0, 0));
	for (vcpu = 0; vcpu < 2; vcpu++) {
		expect(!vmm_halt(&vm, vcpu));
		expect(guest_is_refused(vcpu));
	}
	expect(!vmm_delete_slot(&vm, VMM_TEST_SLOT));
	return true;
}

static bool guest_gets_mmio(int vcpu)
{
	struct kvm_run *run = vm.vcpu[vcpu].run;

	expect(!vmm_halt(&vm, vcpu));
	run->exit_reason = 0;
	expect(vmm_write(&vm, vcpu, VMM_TEST_GPA, 1, 1) == -1 && run->exit_reason == KVM_EXIT_MMIO);
	expect(!vmm_halt(&vm, vcpu));
	return true;
}

static bool after_delete(void)
{
	expect(said(1, 0, 0));
	expect(guest_gets_mmio(0) && guest_gets_mmio(1));
	expect(!bind_to(&vm, VMM_TEST_SLOT, VMM_TEST_GPA));
	map = map ?: map_file();
	expect(all_works(&vm, 0) && all_works(&vm, 1));
	expect(!vmm_delete_slot(&vm, VMM_TEST_SLOT) && !munmap(map, SIZE) && !close(fd));
	return true;
}

static bool after_delete_and_close(void)
{
	expect(said(0, 0, 0) && said(1, 0, 0));
	return guest_gets_mmio(0);
}

/* The file outlives its VM, and so does its policy. */
static bool after_vm(void)
{
	uint64_t i;

	expect(punch(0, SIZE));
	for (i = 0; i < N; i++) {
		expect(!map[i * PAGE]);
		map[i * PAGE] = 3;
		expect(page_node(map + i * PAGE) == 1);
	}
	expect(!munmap(map, SIZE) && !close(fd));
	return true;
}

static bool after_vm_and_file(void)
{
	expect(said(0, 0, 0) && !munmap(map, SIZE));
	return true;
}

static bool after_vm_and_policy(void)
{
	expect(said(0, 0, 0) && !set_policy(map, SIZE, MPOL_BIND, NODE(1)));
	return after_vm();
}

static bool after_two_bindings(void)
{
	expect((said(0, 0, 0) && said(1, -1, EEXIST)) || (said(0, -1, EEXIST) && said(1, 0, 0)));
	expect(!vmm_delete_slot(&vm, race_result[0] ? OTHER_SLOT : VMM_TEST_SLOT));
	expect(!bind_to(&vm, VMM_TEST_SLOT, VMM_TEST_GPA));
	map = map_file();
	expect(all_works(&vm, 0));
	expect(!vmm_delete_slot(&vm, VMM_TEST_SLOT) && !munmap(map, SIZE) && !close(fd));
	return true;
}

static bool after_binding_and_close(void)
{
	expect((said(0, 0, 0) || said(0, -1, EBADF)) && said(1, 0, 0));
	if (race_result[0])
		return guest_gets_mmio(0);
	expect(guest_is_refused(0) && !vmm_delete_slot(&vm, VMM_TEST_SLOT));
	return true;
}

static bool after_unmap(void)
{
	expect(said(1, 0, 0));
	map = map_file();
	expect(all_works(&vm, 0));
	expect(!vmm_delete_slot(&vm, VMM_TEST_SLOT) && !munmap(map, SIZE) && !close(fd));
	return true;
}

static bool after_unload_attempt(void)
{
	expect(race_result[1]);
	map = map_file();
	expect(all_works(&vm, 0));
	expect(!vmm_delete_slot(&vm, VMM_TEST_SLOT) && !munmap(map, SIZE) && !close(fd));
	return true;
}

static bool after_creation_and_unload(void)
{
	expect(race_result[0] >= 0 && race_result[1] && !close(race_result[0]) && !close(fd));
	return true;
}

/* --- folios of 2 MiB, of which a part is taken away, perhaps while somebody holds them */

#define HOLE 300UL	/* the page that is punched */

static struct huge_pin pin;

static void new_huge_slot(void)
{
	new_mapped_slot();
	must(guarded(map[(HOLE + 1) * PAGE] = 1));
	huge_rounds += huge_folios(fd);
}

/* The hole is punched, but its page is still there; and then it is about to be tried again. */
static void new_held_hole(void)
{
	new_huge_slot();
	must(!vmm_write(&vm, 0, VMM_TEST_GPA, N, 5));
	must(huge_pin(&pin, map) && punch(HOLE * PAGE, PAGE));
	usleep(prng_below(&dice, 3) ? 90000 + prng_below(&dice, 20000) : prng_below(&dice, 1000));
}

static void new_released_hole(void)
{
	new_held_hole();
	huge_unpin(&pin);
}

static void new_held_mapping(void)
{
	new_held_hole();
	must(!close(fd));
}

static void let_go(void)
{
	huge_unpin(&pin);
	race_result[0] = 0;
}

static void hole_in_the_middle(void)
{
	RESULT(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, HOLE * PAGE, PAGE));
}

static void hole_next_to_it(void)
{
	RESULT(1, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (HOLE + 1) * PAGE, 2 * PAGE));
}

static void other_allocation(void)
{
	RESULT(1, fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, SIZE));
}

static void other_guest(void)
{
	RESULT(1, vmm_write(&vm, 1, VMM_TEST_GPA, N, 7));
}

static void other_host(void)
{
	uint64_t i;

	race_result[1] = 0;
	for (i = 0; i < N; i++)
		race_result[1] += !store(map + i * PAGE);
}

static void half_bound(void)
{
	RESULT(0, set_policy(map, SIZE / 2, MPOL_BIND, NODE(1)));
}

static bool works_to_the_end(void)
{
	expect(all_works(&vm, 0));
	expect(!vmm_delete_slot(&vm, VMM_TEST_SLOT) && !munmap(map, SIZE) && !close(fd));
	return true;
}

/* No page is lost, except for the one in the hole, and that is zero if it was not written after it. */
static bool others_are(char want)
{
	uint64_t i;

	for (i = 0; i < N; i++) {
		if (i == HOLE)
			expect(!map[i * PAGE] || map[i * PAGE] == want);
		else
			expect(map[i * PAGE] == want);
	}
	return true;
}

static bool after_split(void)
{
	expect(said(0, 0, 0) && said(1, 0, 0) && others_are(7) && all_works(&vm, 1));
	return works_to_the_end();
}

static bool after_two_holes(void)
{
	expect(said(0, 0, 0) && said(1, 0, 0));
	expect(!map[HOLE * PAGE] && !map[(HOLE + 1) * PAGE] && !map[(HOLE + 2) * PAGE]);
	return works_to_the_end();
}

/* What was allocated after the policy was set obeys it. */
static bool after_half_bound(void)
{
	uint64_t i;

	expect(said(0, 0, 0) && said(1, 0, 0) && others_are(7) && punch(0, SIZE));
	for (i = 0; i < N / 2; i += 16) {
		map[i * PAGE] = 1;
		expect(page_node(map + i * PAGE) == 1);
	}
	expect(!vmm_delete_slot(&vm, VMM_TEST_SLOT) && !munmap(map, SIZE) && !close(fd));
	return true;
}

/* fallocate() wants the page again, so it must stay, whenever it came. */
static bool after_allocation(void)
{
	unsigned char there;

	expect(said(0, 0, 0) && said(1, 0, 0));
	expect(!mincore(map + HOLE * PAGE, PAGE, &there) && there & 1 && !map[HOLE * PAGE]);
	return works_to_the_end();
}

static bool after_held_close(void)
{
	expect(said(1, 0, 0) && guest_is_refused(0) && !vmm_delete_slot(&vm, VMM_TEST_SLOT));
	return true;
}

static bool after_held_delete(void)
{
	expect(said(1, 0, 0));
	expect(guest_gets_mmio(0) && !bind_to(&vm, VMM_TEST_SLOT, VMM_TEST_GPA));
	expect(!map[HOLE * PAGE] && map[(HOLE + 1) * PAGE] == 5);
	return works_to_the_end();
}

/* --- memory that fails, always in the first page */

static uint64_t lost_frames;

static void new_touched_slot(void)
{
	new_mapped_slot();
	must(guarded(*(volatile char *)map = 1));
	failed_pfn = pfn_of(map);
}

static void new_touched_mapping(void)
{
	new_touched_slot();
	must(!close(fd));
}

/*
 * A task that came across the page holds a reference for a moment, so try again. A page that never
 * was poisoned cannot be unpoisoned.
 */
static void give_back_frame(void)
{
	int i;

	for (i = 0; i < 100; i++) {
		if (unpoison_pfn(failed_pfn))
			return;
		usleep(100);
	}
	lost_frames++;
}

static void hole_for_failure(void)
{
	RESULT(1, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, SIZE));
}

static void guest_for_failure(void)
{
	RESULT(1, vmm_write(&vm, 0, VMM_TEST_GPA, N, 7));
}

static bool failure_is_over(void)
{
	expect(punch(0, SIZE));
	give_back_frame();
	/* The mapping keeps the hwpoison entry. */
	expect(!munmap(map, SIZE));
	map = map_file();
	return true;
}

static bool after_failure(void)
{
	expect(!vmm_halt(&vm, 0));
	expect(failure_is_over() && all_works(&vm, 0));
	expect(!vmm_delete_slot(&vm, VMM_TEST_SLOT) && !munmap(map, SIZE) && !close(fd));
	return true;
}

static bool after_failure_and_guest(void)
{
	expect(said(1, 0, 0) || said(1, -1, EHWPOISON));
	return after_failure();
}

static bool after_failure_and_delete(void)
{
	expect(said(1, 0, 0) && !bind_to(&vm, VMM_TEST_SLOT, VMM_TEST_GPA));
	return after_failure();
}

/* If munmap() came first, the memory failure did not happen. */
static bool after_failure_and_unmap(void)
{
	expect(said(1, 0, 0));
	if (!race_result[0])
		give_back_frame();
	expect(guest_is_refused(0) && !vmm_delete_slot(&vm, VMM_TEST_SLOT));
	return true;
}

/* --- a process that dies, while its file lives on */

static pid_t owner;

static void owner_lives(int socket)
{
	struct vmm own;
	char *p;

	vmm_create(&own, 1);
	fd = vmm_gmem(&own, SIZE, VMM_GMEM_BOTH);
	p = map_file();
	must(!set_policy(p, SIZE, MPOL_BIND, NODE(1)));
	must(!bind_to(&own, VMM_TEST_SLOT, VMM_TEST_GPA));
	send_fd(socket, fd);
	for (;;)
		vmm_write(&own, 0, VMM_TEST_GPA, N, 7);
}

static void new_owner(void)
{
	int sockets[2];

	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	owner = fork();
	must(owner >= 0);
	if (!owner) {
		vm.nr_vcpus = 0;
		owner_lives(sockets[1]);
	}
	fd = receive_fd(sockets[0]);
	close(sockets[0]);
	close(sockets[1]);
	map = map_file();
}

static void owner_killed(void)
{
	int status;

	must(!kill(owner, SIGKILL));
	race_result[1] = waitpid(owner, &status, 0) == owner && WIFSIGNALED(status);
}

static bool after_owner(void)
{
	expect(race_result[1]);
	return after_vm();
}

static const struct race_pair pairs[] = {
	{ "guest access", "last close", new_slot, guest, file_closed, after_close },
	{ "nested guest's access", "last close", new_slot, nested_guest, file_closed, after_close },
	{ "guest access", "last munmap", new_mapping, guest, unmapped, after_close },
	{ "guest access", "memslot deleted", new_mapped_slot, guest, slot_deleted, after_delete },
	{ "nested guest's access", "memslot deleted", new_slot, nested_guest, slot_deleted, after_delete },
	{ "host access", "memslot deleted", new_mapped_slot, host, slot_deleted, after_delete },
	{ "hole", "memslot deleted", new_mapped_slot, hole, slot_deleted, after_delete },
	{ "memslot deleted", "last close", new_slot, slot_deleted_first, file_closed, after_delete_and_close },
	{ "guest access", "VM closed", new_vm, dying_guest, vm_closed, after_vm },
	{ "host access", "VM closed", new_vm, host, vm_closed, after_vm },
	{ "fallocate", "VM closed", new_vm, allocation, vm_closed, after_vm },
	{ "hole", "VM closed", new_vm, hole, vm_closed, after_vm },
	{ "mbind", "VM closed", new_vm, policy, vm_closed, after_vm_and_policy },
	{ "close", "VM closed", new_vm, file_closed_first, vm_closed, after_vm_and_file },
	{ "memslot created", "another created for the same range", new_file, binding, other_binding,
	  after_two_bindings },
	{ "memslot created", "close", new_file, binding, file_closed, after_binding_and_close },
	{ "host access", "munmap", new_mapped_slot, host, unmapped, after_unmap },
	{ "guest access", "unload attempt", new_slot, guest, unload, after_unload_attempt },
	{ "file created", "unload attempt", new_file, file_created, unload, after_creation_and_unload },
	{ "memory failure", "guest access", new_touched_slot, memory_failure, guest_for_failure,
	  after_failure_and_guest },
	{ "memory failure", "hole", new_touched_slot, memory_failure, hole_for_failure, after_failure },
	{ "memory failure", "memslot deleted", new_touched_slot, memory_failure, slot_deleted,
	  after_failure_and_delete },
	{ "memory failure", "last munmap", new_touched_mapping, memory_failure, unmapped,
	  after_failure_and_unmap },
	{ "host access", "SIGKILL of the VMM", new_owner, host, owner_killed, after_owner },
	{ "hole", "SIGKILL of the VMM", new_owner, hole, owner_killed, after_owner },
};

#define PAIRS (sizeof(pairs) / sizeof(pairs[0]))

/* Where there are folios of 2 MiB. */
static const struct race_pair huge_pairs[] = {
	{ "hole of a page", "guest access to all", new_huge_slot, hole_in_the_middle, other_guest, after_split },
	{ "hole of a page", "host access to all", new_huge_slot, hole_in_the_middle, other_host, after_split },
	{ "hole of a page", "hole next to it", new_huge_slot, hole_in_the_middle, hole_next_to_it,
	  after_two_holes },
	{ "policy of half", "guest access to all", new_mapped_slot, half_bound, other_guest, after_half_bound },
	{ "policy of half", "host access to all", new_mapped_slot, half_bound, other_host, after_half_bound },
	{ "held folio released", "guest access to all", new_held_hole, let_go, other_guest, after_split },
	{ "held folio released", "host access to all", new_held_hole, let_go, other_host, after_split },
	{ "held folio released", "another hole", new_held_hole, let_go, hole_next_to_it, after_two_holes },
	{ "held folio released", "fallocate", new_held_hole, let_go, other_allocation, after_allocation },
	{ "held folio released", "last munmap", new_held_mapping, let_go, unmapped, after_held_close },
	{ "held folio released", "memslot deleted", new_held_hole, let_go, slot_deleted, after_held_delete },
	{ "hole again", "guest access to all", new_released_hole, hole_in_the_middle, other_guest, after_split },
};

#define HUGE_PAIRS (huge ? sizeof(huge_pairs) / sizeof(huge_pairs[0]) : 0)

int main(int argc, char **argv)
{
	uint64_t iterations = 0;
	double begin = seconds_now(), seconds = argc > 1 ? atof(argv[1]) : 10;
	size_t i;

	dice = prng_seed(argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL));
	guard_init();
	npt = vmm_host_has_npt();
	huge = huge_asked();
	vmm_quiet = true;
	vmm_create(&vm, 2);
	seconds /= PAIRS + HUGE_PAIRS;
	for (i = 0; i < PAIRS; i++)
		iterations += race_pair_run(&pairs[i], &dice, seconds);
	for (i = 0; i < HUGE_PAIRS; i++)
		iterations += race_pair_run(&huge_pairs[i], &dice, seconds);
	if (huge)
		ok(huge_rounds, "%lu rounds had 2 MiB", huge_rounds);
	printf("# frames that were not poisoned, or could not be given back: %lu\n", lost_frames);
	printf("# count race-seconds %.0f\n", seconds_now() - begin);
	printf("# count race-iterations %lu\n", iterations);
	vmm_destroy(&vm);
	return tap_exit();
}
