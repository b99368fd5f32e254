// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "race.h"
#include "tap.h"

void random_cpus(struct prng *r, int cpus[2])
{
	int n = sysconf(_SC_NPROCESSORS_ONLN);

	cpus[0] = prng_below(r, n);
	cpus[1] = n > 1 ? (cpus[0] + 1 + (int)prng_below(r, n - 1)) % n : cpus[0];
}

void pin_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	must(!sched_setaffinity(0, sizeof(set), &set));
}

double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

__thread sigjmp_buf guard_return;
__thread volatile bool guard_on;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	if (sig == SIGBUS && info->si_code == BUS_MCEERR_AO)
		return;
	if (guard_on)
		siglongjmp(guard_return, 1);
	signal(sig, SIG_DFL);
}

void guard_init(void)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

	must(!sigaction(SIGBUS, &action, NULL) && !sigaction(SIGSEGV, &action, NULL));
}

uint64_t pfn_of(void *page)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry;

	must(fd >= 0 && pread(fd, &entry, 8, (uintptr_t)page / PAGE * 8) == 8);
	close(fd);
	return entry >> 63 ? entry & ((1ULL << 55) - 1) : 0;
}

bool poison(void *page)
{
	volatile int r = 0;

	/*
	 * The page stays in the file, hence EBUSY; EHWPOISON if it is in a larger folio that somebody
	 * holds. A process that has written to the page gets a SIGBUS at once.
	 */
	return !guarded(r = madvise(page, PAGE, MADV_HWPOISON) && errno != EBUSY && errno != EHWPOISON) || !r;
}

#define UNPOISON "/sys/kernel/debug/hwpoison/unpoison-pfn"

bool can_unpoison(void)
{
	return !access(UNPOISON, W_OK);
}

bool unpoison_pfn(uint64_t pfn)
{
	int fd = open(UNPOISON, O_WRONLY);
	char text[32];
	bool done;

	if (fd < 0)
		return false;
	snprintf(text, sizeof(text), "%lu", pfn);
	done = write(fd, text, strlen(text)) > 0;
	close(fd);
	return done;
}

bool unload_is_refused(void)
{
	return syscall(SYS_delete_module, "kvm_gmem_numa", O_NONBLOCK) == -1 && errno == EWOULDBLOCK;
}

union fd_message {
	char space[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

void send_fd(int socket, int fd)
{
	union fd_message control = {};
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	must(sendmsg(socket, &msg, 0) == 1);
}

int receive_fd(int socket)
{
	union fd_message control = {};
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	int fd;

	must(recvmsg(socket, &msg, 0) == 1 && CMSG_FIRSTHDR(&msg));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

int race_result[2], race_error[2];

bool said(int i, int want, int errno_want)
{
	return race_result[i] == want && (want != -1 || race_error[i] == errno_want);
}

bool unexpected(const char *what)
{
	printf("#   %s: %s (%d, errno %d; %d, errno %d)\n", what, strerror(errno), race_result[0],
	       race_error[0], race_result[1], race_error[1]);
	return false;
}

int guest_of_mortal(struct vmm *vm, uint64_t gpa, uint64_t n)
{
	volatile int r = -1;

	guarded(r = vmm_write(vm, 0, gpa, n, 7));
	return r;
}

/* One side of a pair: what it does, and when it did so, in TSC ticks. */
struct side {
	void (*act)(void);
	int cpu;
	uint64_t delay, start, end, average;
};

static struct side sides[2];
static pthread_barrier_t barrier;
static atomic_int arrived;
static bool last_round;

static void side_act(struct side *s)
{
	uint64_t from;
	int spins = 0;

	pthread_barrier_wait(&barrier);
	/*
	 * The futex wakes one thread after the other, so wait until both are here; but not for
	 * long, as there may be only one CPU.
	 */
	atomic_fetch_add(&arrived, 1);
	while (atomic_load(&arrived) < 2 && spins++ < 2000)
		_mm_pause();

	from = __rdtsc();
	while (__rdtsc() - from < s->delay)
		_mm_pause();
	s->start = __rdtsc();
	s->act();
	s->end = __rdtsc();
	pthread_barrier_wait(&barrier);
}

static void *other_side(void *arg)
{
	struct side *s = arg;

	pin_to(s->cpu);
	for (;;) {
		pthread_barrier_wait(&barrier);
		if (last_round)
			return NULL;
		side_act(s);
	}
}

/* Let the second side begin at a random time while the first is running, or the other way round. */
static void draw_delays(struct prng *r)
{
	uint64_t both = sides[0].average + sides[1].average;
	uint64_t at = prng_below(r, both + 1);

	sides[1].delay = at > sides[1].average ? at - sides[1].average : 0;
	sides[0].delay = at < sides[1].average ? sides[1].average - at : 0;
}

/* Returns whether the two sides overlapped in time. */
static bool look_back(void)
{
	int i;

	for (i = 0; i < 2; i++)
		sides[i].average += ((int64_t)(sides[i].end - sides[i].start) -
				     (int64_t)sides[i].average) / 8;
	return sides[0].start < sides[1].end && sides[1].start < sides[0].end;
}

uint64_t race_pair_run(const struct race_pair *p, struct prng *r, double seconds)
{
	double end = seconds_now() + seconds;
	uint64_t rounds = 0, met = 0, bad = 0;
	pthread_t thread;
	int cpus[2];

	random_cpus(r, cpus);
	sides[0] = (struct side){ .act = p->one, .cpu = cpus[0] };
	sides[1] = (struct side){ .act = p->other, .cpu = cpus[1] };
	must(!pthread_barrier_init(&barrier, NULL, 2));
	last_round = false;
	must(!pthread_create(&thread, NULL, other_side, &sides[1]));
	pin_to(cpus[0]);

	while (bad < 3 && (rounds < RACE_ROUNDS_MIN || seconds_now() < end)) {
		p->before();
		draw_delays(r);
		atomic_store(&arrived, 0);
		pthread_barrier_wait(&barrier);
		side_act(&sides[0]);
		met += look_back();
		bad += !p->after();
		rounds++;
	}

	last_round = true;
	pthread_barrier_wait(&barrier);
	must(!pthread_join(thread, NULL));
	ok(!bad && rounds, "%s, %s: %lu rounds, %lu at once", p->one_name, p->other_name, rounds, met);
	return rounds;
}
