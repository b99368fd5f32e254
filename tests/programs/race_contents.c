// SPDX-License-Identifier: GPL-2.0-only
/*
 * race_contents [SECONDS [SEED]]: what a page contains while it is taken away and comes back.
 *
 * A writer (a guest, a nested guest, a thread of the VMM, or another process) counts in a page of
 * the file as fast as it can, and reports how far it has come in memory that is never taken away.
 * Meanwhile, one call after another does something to that page. After each call,
 *
 * - if the call must not lose anything, what the VMM reads is no older than what was reported
 *   before the call; if the call throws the page away, the VMM reads zeroes or what was written
 *   later;
 * - what the writer writes from then on is what the VMM reads, so both use the same page;
 * - a page that was allocated after a policy was set is on that policy's node.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
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

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define N (huge ? 2 * HUGE_PAGES : 16UL)	/* pages of the file */
#define SIZE (N * PAGE)
#define PATIENCE 120.0	/* seconds within which a writer must make progress */

static struct vmm vm;
static int fd;
static char *map;
static struct prng dice;
static bool npt;
static bool huge;		/* the file can have folios of 2 MiB */
static uint64_t huge_rounds;	/* which began with one of them */
static uint64_t unpoison_errors;
static uint64_t page = 5;	/* the page, in the file */
static uint64_t slot_page;	/* at which guest frame the slot begins */

static volatile uint64_t *target(void)
{
	return (volatile uint64_t *)(map + page * PAGE);
}

static uint64_t target_gpa(void)
{
	return VMM_TEST_GPA + (slot_page + page) * PAGE;
}

/* --- writers */

struct writer {
	const char *name;
	void (*begin)(void);
	void (*end)(void);
};

static struct vmm_counter *progress;	/* of the current writer */
static struct vmm_counter *shared;	/* for writers that are not guests */
static enum vmm_nesting nesting;
static int writer_cpu;
static pthread_t writer_thread;
static pid_t writer_pid;

/* Writing fails while the slot is deleted, and while the page is poisoned. */
static void *guest_thread(void *arg)
{
	pin_to(writer_cpu);
	while (!progress->stop) {
		if (vmm_count(&vm, 0, nesting, target_gpa()))
			vmm_halt(&vm, 0);
	}
	return NULL;
}

static void begin_guest(void)
{
	progress = vmm_counter(&vm, 0);
	progress->stop = 0;
	must(!pthread_create(&writer_thread, NULL, guest_thread, NULL));
}

static void begin_l1(void)
{
	nesting = VMM_L1;
	begin_guest();
}

static void begin_l2(void)
{
	nesting = npt && prng_below(&dice, 2) ? VMM_L2_NPT : VMM_L2;
	begin_guest();
}

static void end_thread(void)
{
	progress->stop = 1;
	must(!pthread_join(writer_thread, NULL));
}

static char *map_at(void *p)
{
	p = mmap(p, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | (p ? MAP_FIXED : 0), fd, 0);
	must(p != MAP_FAILED);
	must(!huge || !madvise(p, SIZE, MADV_HUGEPAGE));
	return p;
}

static bool store(volatile uint64_t *to, uint64_t value)
{
	return guarded(*to = value);
}

/*
 * A mapping keeps the hwpoison entry when the poisoned page leaves the file, so map the file anew.
 */
static void count_in_mapping(void)
{
	char *p = map_at(NULL);
	volatile uint64_t *counter = (volatile uint64_t *)(p + page * PAGE);
	uint64_t next;

	while (!progress->stop) {
		next = progress->done + 1;
		if (store(counter, next))
			progress->done = next;
		else
			map_at(p);
	}
	munmap(p, SIZE);
}

static void *host_thread(void *arg)
{
	pin_to(writer_cpu);
	count_in_mapping();
	return NULL;
}

static void begin_host(void)
{
	progress = shared;
	progress->stop = 0;
	must(!pthread_create(&writer_thread, NULL, host_thread, NULL));
}

/* It receives the file over a socket, as processes do that are not parent and child. */
static void begin_process(void)
{
	int sockets[2];

	progress = shared;
	progress->stop = 0;
	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	writer_pid = fork();
	must(writer_pid >= 0);
	if (!writer_pid) {
		close(fd);
		fd = receive_fd(sockets[1]);
		pin_to(writer_cpu);
		count_in_mapping();
		_exit(0);
	}
	send_fd(sockets[0], fd);
	close(sockets[0]);
	close(sockets[1]);
}

static void end_process(void)
{
	int status;

	progress->stop = 1;
	must(waitpid(writer_pid, &status, 0) == writer_pid);
}

static const struct writer writers[] = {
	{ "guest", begin_l1, end_thread },
	{ "nested guest", begin_l2, end_thread },
	{ "host", begin_host, end_thread },
	{ "other process", begin_process, end_process },
};

static const struct writer *writer;

/* --- what is done to the page */

enum effect {
	KEEPS,		/* nothing is lost */
	LOSES,		/* everything that was written before is lost */
	MAY_LOSE,
};

/* At most @room pages before or after the page; the file may have fewer. */
static uint64_t some_pages(uint64_t pages, uint64_t room)
{
	return prng_below(&dice, (pages < room ? pages : room) + 1);
}

/* A range with the page in it: any range, a few pages, or the whole file. */
static void some_range(uint64_t *offset, uint64_t *size)
{
	uint64_t room = huge && prng_below(&dice, 2) ? 4 : N;
	uint64_t before = some_pages(page, room), after = some_pages(N - page - 1, room);

	if (huge && !prng_below(&dice, 3)) {
		before = page;
		after = N - page - 1;
	}
	*offset = (page - before) * PAGE;
	*size = (before + 1 + after) * PAGE;
}

static bool file_call(int mode)
{
	uint64_t offset, size;

	some_range(&offset, &size);
	return !fallocate(fd, mode, offset, size);
}

static bool advise(int advice)
{
	uint64_t offset, size;

	some_range(&offset, &size);
	return !madvise(map + offset, size, advice);
}

static int wanted_node;	/* -1: any */

/* The policy is set first, so that pages allocated after the hole obey it. */
static bool do_hole(void)
{
	wanted_node = prng_below(&dice, NODES);
	return !set_policy(map, SIZE, MPOL_BIND, NODE(wanted_node)) &&
	       file_call(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
}

/* The page next to it: in the middle of 2 MiB, if there are any. */
static bool do_neighbour(void)
{
	volatile char *neighbour = map + (page ^ 1) * PAGE;

	*neighbour = 1;
	return !fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (page ^ 1) * PAGE, PAGE) &&
	       !*neighbour;
}

static bool comes_back(char *p)
{
	double end = seconds_now() + PATIENCE;
	unsigned char there;

	do {
		must(!mincore(p, PAGE, &there));
		usleep(1000);
	} while (there & 1 && seconds_now() < end);
	return !(there & 1);
}

/*
 * A folio of 2 MiB cannot be split while somebody holds a reference to it. The hole reads as zeroes all
 * the same; and when the reference is gone, its memory comes back, unless it was written to.
 */
static bool do_pinned_hole(void)
{
	uint64_t quiet = page ^ 2, first = page & ~3UL;
	struct huge_pin pin;
	unsigned char there;
	bool good;

	map[quiet * PAGE] = 1;
	map[(page ^ 4) * PAGE] = 1;
	good = huge_pin(&pin, map + (page ^ 4) * PAGE) &&
	       !fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, first * PAGE, 4 * PAGE);
	must(!mincore(map + quiet * PAGE, PAGE, &there));
	/* Reading a page that is not there would allocate it. */
	good = good && !(there & 1 && map[quiet * PAGE]) && map[(page ^ 4) * PAGE] == 1;
	huge_unpin(&pin);
	return good && comes_back(map + quiet * PAGE);
}

static bool do_remove(void)
{
	return advise(MADV_REMOVE);
}

static bool do_allocate(void)
{
	return file_call(FALLOC_FL_KEEP_SIZE);
}

static bool do_mbind(void)
{
	static const int modes[] = { MPOL_BIND, MPOL_INTERLEAVE, MPOL_PREFERRED_MANY };
	uint64_t offset, size;

	some_range(&offset, &size);
	return !set_policy(map + offset, size, modes[prng_below(&dice, 3)], NODE(prng_below(&dice, 2))) &&
	       !set_policy(map + offset, size, MPOL_DEFAULT, 0);
}

static bool do_dontneed(void)
{
	return advise(MADV_DONTNEED);
}

static bool do_collapse(void)
{
	advise(MADV_PAGEOUT);
	return madvise(map, SIZE, MADV_COLLAPSE) == -1 && errno == EINVAL;
}

static bool do_munmap(void)
{
	munmap(map, SIZE);
	map = map_at(NULL);
	return true;
}

static int bind_slot(void)
{
	return vmm_slot(&vm, VMM_TEST_SLOT, KVM_MEM_GUEST_MEMFD, VMM_TEST_GPA + slot_page * PAGE, SIZE, map,
			fd, 0);
}

static bool do_slot(void)
{
	return !vmm_delete_slot(&vm, VMM_TEST_SLOT) && !bind_slot();
}

/* A folio of 2 MiB cannot be split while a task is looking at it, so its page goes a bit later. */
static bool is_given_up(uint64_t pfn)
{
	double end = seconds_now() + PATIENCE;
	bool unpoisoned = false;

	while (seconds_now() < end) {
		unpoisoned = unpoisoned || unpoison_pfn(pfn);
		do_munmap();
		if (unpoisoned && guarded((void)*target()))
			return true;
		usleep(10000);
	}
	return false;
}

/* The page is poisoned, and replaced. */
static bool do_failure(void)
{
	uint64_t pfn;
	int i;

	/* Without the module hwpoison-inject, no page could be given back. */
	if (!can_unpoison())
		return do_munmap();
	(void)*target();
	pfn = pfn_of(map + page * PAGE);
	/* No other task poisons the page. If one had, the page would not be mapped. */
	if (!pfn || !poison(map + page * PAGE))
		return false;
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, page * PAGE, PAGE))
		return false;
	/* A task that is looking at the page holds a reference for a moment, so try again. */
	for (i = 0; i < 100 && !unpoison_pfn(pfn); i++)
		usleep(100);
	if (i < 100 || !huge) {
		unpoison_errors += i == 100;
		return do_munmap();
	}
	return is_given_up(pfn);
}

static bool do_unload(void)
{
	return unload_is_refused();
}

/* A process that uses the file and is killed in the middle of a call. */
static bool do_kill(void)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		for (;;) {
			fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, SIZE);
			fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, SIZE);
			guarded(*(volatile char *)(map + (page + 1) * PAGE) = 1);
		}
	}
	usleep(prng_below(&dice, 5000));
	return pid > 0 && !kill(pid, SIGKILL) && waitpid(pid, &status, 0) == pid &&
	       WIFSIGNALED(status);
}

static const struct op {
	const char *name;
	bool (*act)(void);
	enum effect effect;
} ops[] = {
	{ "punch hole", do_hole, LOSES },
	{ "hole next to the page", do_neighbour, KEEPS },
	{ "hole in a folio that somebody holds", do_pinned_hole, LOSES },
	{ "madvise(REMOVE)", do_remove, LOSES },
	{ "fallocate", do_allocate, KEEPS },
	{ "mbind", do_mbind, KEEPS },
	{ "madvise(DONTNEED)", do_dontneed, KEEPS },
	{ "madvise(COLLAPSE, PAGEOUT)", do_collapse, KEEPS },
	{ "munmap", do_munmap, KEEPS },
	{ "memslot deleted and created", do_slot, KEEPS },
	{ "memory failure", do_failure, LOSES },
	{ "unload attempt", do_unload, KEEPS },
	{ "SIGKILL of another user", do_kill, MAY_LOSE },
};

#define OPS (sizeof(ops) / sizeof(ops[0]))
#define WRITERS (sizeof(writers) / sizeof(writers[0]))

/* --- what must hold */

static bool comes_further(uint64_t to)
{
	double end = seconds_now() + PATIENCE;
	int spins = 0;

	while (progress->done < to) {
		if (spins++ % 1024 == 1023 && seconds_now() > end)
			return false;
		sched_yield();
		usleep(20);
	}
	return true;
}

static bool rest_is(char byte)
{
	const char *p = map + page * PAGE;
	size_t i;

	for (i = sizeof(uint64_t); i < PAGE; i++) {
		if (p[i] != byte)
			return false;
	}
	return true;
}

static bool complain(const char *what, const struct op *op, uint64_t got, uint64_t than)
{
	printf("#   %s, %s: %s: %lu, %lu\n", writer->name, op->name, what, got, than);
	return false;
}

static bool lost_enough(const struct op *op, uint64_t before, uint64_t now)
{
	if (op->effect == KEEPS && now < before)
		return complain("lost what was written before", op, now, before);
	if (op->effect == LOSES && now && now <= before)
		return complain("shows what was thrown away", op, now, before);
	if (op->effect == MAY_LOSE && now && now < before)
		return complain("shows neither zeroes nor what was written", op, now, before);
	return true;
}

/* Have the file filled anew, so that it has folios of 2 MiB again. */
static bool begin_anew(void)
{
	if (!huge || prng_below(&dice, 2))
		return true;
	must(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, SIZE));
	if (!comes_further(progress->done + 2))
		return false;
	huge_rounds += huge_folios(fd) > 0;
	return true;
}

static bool race_round(const struct op *op)
{
	uint64_t before, now;

	if (!begin_anew())
		return complain("the writer stops after a hole", op, progress->done, 0);
	if (op->effect == LOSES)
		memset(map + page * PAGE + sizeof(uint64_t), 0xa5, PAGE - sizeof(uint64_t));
	wanted_node = -1;
	before = progress->done;
	if (!op->act())
		return complain("the call fails with errno", op, errno, 0);
	now = *target();
	if (!lost_enough(op, before, now))
		return false;
	if (op->effect == LOSES && !rest_is(0))
		return complain("the new page is not clear", op, now, before);

	now = progress->done;
	if (!comes_further(now + 2))
		return complain("the writer makes no progress", op, progress->done, now);
	if (*target() < now + 1)
		return complain("the VMM does not read what the writer wrote", op, *target(), now);
	if (wanted_node >= 0 && page_node(map + page * PAGE) != wanted_node)
		return complain("the page is not on the policy's node", op,
				page_node(map + page * PAGE), wanted_node);
	return true;
}

/*
 * Another page, and perhaps another place of the slot: guests have mappings of 2 MiB only where it is as far
 * from a boundary of 2 MiB as in the file.
 */
static void move_page(void)
{
	page = prng_below(&dice, HUGE_PAGES);
	must(!vmm_delete_slot(&vm, VMM_TEST_SLOT));
	slot_page = prng_below(&dice, 3) ? 0 : prng_below(&dice, HUGE_PAGES);
	must(!bind_slot());
}

static uint64_t race(const struct op *op, double seconds)
{
	double end = seconds_now() + seconds;
	uint64_t rounds = 0, bad = 0;
	int cpus[2];

	/* Remove what the last race left behind. */
	must(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, SIZE) && do_munmap());
	if (huge)
		move_page();
	random_cpus(&dice, cpus);
	writer_cpu = cpus[0];
	pin_to(cpus[1]);
	writer->begin();
	if (!comes_further(progress->done + 1))
		bad++;
	while (!bad && (rounds < RACE_ROUNDS_MIN || seconds_now() < end)) {
		bad += !race_round(op);
		rounds++;
	}
	writer->end();
	ok(!bad && rounds, "%s writes, %s: %lu rounds", writer->name, op->name, rounds);
	return rounds;
}

int main(int argc, char **argv)
{
	uint64_t iterations = 0;
	double share, begin = seconds_now();
	size_t i;

	share = (argc > 1 ? atof(argv[1]) : 10) / (WRITERS * OPS);
	dice = prng_seed(argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL));
	guard_init();
	npt = vmm_host_has_npt();
	huge = huge_asked();
	vmm_quiet = true;
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(shared != MAP_FAILED);
	vmm_create(&vm, 1);
	fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	map = map_at(NULL);
	must(!bind_slot());

	for (writer = writers; writer < writers + WRITERS; writer++) {
		for (i = 0; i < OPS; i++)
			iterations += race(&ops[i], share);
	}
	if (huge)
		ok(huge_rounds, "%lu rounds began with 2 MiB", huge_rounds);
	is(unpoison_errors, 0, "every poisoned page is given back");
	printf("# count race-seconds %.0f\n", seconds_now() - begin);
	printf("# count race-iterations %lu\n", iterations);

	munmap(map, SIZE);
	close(fd);
	vmm_destroy(&vm);
	return tap_exit();
}
