// SPDX-License-Identifier: GPL-2.0-only
/*
 * A signal arrives while pages are allocated. Only a fatal signal ends fallocate(): a timer, a
 * debugger or a freezer must not make it start over for ever. A guest is interrupted, and goes on
 * where it was.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "numa.h"
#include "tap.h"
#include "vmm.h"

/* So much that allocating it takes many times longer than until the signal arrives. */
#define SIZE (64 * MIB)
#define N (SIZE / PAGE)
#define FEW 256UL

static struct vmm vm;
static int fd;
static char *map;
static volatile int signals;

static void on_signal(int sig)
{
	signals++;
}

static void wait_for_page(unsigned long i)
{
	unsigned char there = 0;

	while (!(there & 1)) {
		must(!mincore(map + i * PAGE, PAGE, &there));
		usleep(100);
	}
}

/* Interrupts the thread @target as soon as @page is in the file. */
struct interrupter {
	pthread_t target, self;
	unsigned long page;
};

static void *interrupt(void *arg)
{
	struct interrupter *i = arg;

	wait_for_page(i->page);
	pthread_kill(i->target, SIGUSR1);
	return NULL;
}

static void interrupt_at(struct interrupter *i, unsigned long page)
{
	signals = 0;
	i->target = pthread_self();
	i->page = page;
	must(!pthread_create(&i->self, NULL, interrupt, i));
}

static int allocate(void)
{
	return fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, SIZE);
}

static int write_as_guest(void)
{
	return vmm_write(&vm, 0, VMM_TEST_GPA, N, 1);
}

static int go_on_as_guest(void)
{
	return ioctl(vm.vcpu[0].fd, KVM_RUN, 0);
}

static const struct call {
	const char *name;
	int (*start)(void);
} calls[] = {
	{ "fallocate()", allocate },
	{ "a guest that faults", write_as_guest },
};

static void set_up(void)
{
	vmm_create(&vm, 1);
	fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	map = vmm_map(fd, SIZE);
	must(!set_policy(map, SIZE, MPOL_BIND, NODE(1)));
	vmm_bind(&vm, fd, SIZE, map);
	must(!vmm_halt(&vm, 0));
}

static void tear_down(void)
{
	munmap(map, SIZE);
	close(fd);
	vmm_destroy(&vm);
}

static int on_node_1(unsigned long i)
{
	return 1;
}

static void test_guest_is_interrupted(void)
{
	struct interrupter interrupter;
	unsigned long there, after;
	bool first;

	set_up();
	interrupt_at(&interrupter, FEW);
	fails(write_as_guest(), EINTR, "a guest that faults, interrupted: EINTR");
	pthread_join(interrupter.self, NULL);
	is(signals, 1, "a guest that faults, interrupted: by one signal");
	there = pages_present(map, N, &first);
	ok(there > FEW && there < N && first,
	   "a guest that faults, interrupted: the pages before that are in the file (%lu)", there);
	usleep(20000);
	is(pages_present(map, N, &first), there,
	   "a guest that faults, interrupted: no more pages come");

	interrupt_at(&interrupter, there + FEW);
	fails(go_on_as_guest(), EINTR, "a guest that faults, interrupted again: EINTR");
	pthread_join(interrupter.self, NULL);
	after = pages_present(map, N, &first);
	ok(after > there && after < N && first,
	   "a guest that faults, interrupted again: it went on (%lu)", after);

	is(go_on_as_guest(), 0, "a guest that faults: then goes on to its end");
	is(pages_present(map, N, &first), N, "a guest that faults: all pages are there");
	is(pages_off(map, N, on_node_1), 0, "a guest that faults: all on their node");
	tear_down();
}

/*
 * fallocate() must succeed at the first call with all pages allocated, whatever signals came in
 * between.
 */
static void allocates(const char *beside)
{
	bool first;

	is(allocate(), 0, "fallocate() beside %s: succeeds", beside);
	is(pages_present(map, N, &first), N, "fallocate() beside %s: all pages are there", beside);
	is(pages_off(map, N, on_node_1), 0, "fallocate() beside %s: all on their node", beside);
}

/* The timer's period is shorter than the call. */
static void test_allocation_beside_timer(void)
{
	const struct itimerval often = { { 0, 1000 }, { 0, 1000 } }, never = {};

	set_up();
	signals = 0;
	must(!setitimer(ITIMER_REAL, &often, NULL));
	allocates("a periodic timer");
	must(!setitimer(ITIMER_REAL, &never, NULL));
	ok(signals > 0, "fallocate() beside a periodic timer: signals came (%d)", signals);
	tear_down();
}

/*
 * Stops and continues the process, as a debugger or a freezer does, while page after page is
 * allocated.
 */
static void stop_often(pid_t pid)
{
	int i;

	for (i = 0; i < 20; i++) {
		must(!kill(pid, SIGSTOP));
		usleep(2000);
		must(!kill(pid, SIGCONT));
		usleep(2000);
	}
}

static void test_allocation_beside_stops(void)
{
	pid_t stopper, self = getpid();

	set_up();
	stopper = fork();
	must(stopper >= 0);
	if (!stopper) {
		wait_for_page(FEW);
		stop_often(self);
		_exit(0);
	}
	allocates("stops");
	must(waitpid(stopper, NULL, 0) == stopper);
	tear_down();
}

/* Starts the call in a child, and takes the child's file over into this process. */
static pid_t start_in_child(const struct call *c)
{
	int ready[2], pidfd;
	pid_t pid;

	must(!pipe(ready));
	pid = fork();
	must(pid >= 0);
	if (!pid) {
		set_up();
		must(write(ready[1], &fd, sizeof(fd)) == sizeof(fd));
		c->start();
		_exit(0);
	}
	must(read(ready[0], &fd, sizeof(fd)) == sizeof(fd));
	close(ready[0]);
	close(ready[1]);
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	must(pidfd >= 0);
	fd = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	must(fd >= 0);
	close(pidfd);
	map = vmm_map(fd, SIZE);
	return pid;
}

static void test_killed(const struct call *c)
{
	pid_t pid = start_in_child(c);
	unsigned long before, there;
	bool first;
	int status;

	wait_for_page(FEW);
	before = pages_present(map, N, &first);
	must(!kill(pid, SIGKILL));
	must(waitpid(pid, &status, 0) == pid);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "%s, killed: dies", c->name);
	there = pages_present(map, N, &first);
	ok(there < N && first, "%s, killed: soon (%lu pages, then %lu)", c->name, before, there);
	ok(there >= before, "%s, killed: what was there stays", c->name);
	is(allocate(), 0, "%s, killed: another can go on", c->name);
	is(pages_present(map, N, &first), N, "%s, killed: to the end", c->name);
	is(pages_off(map, N, on_node_1), 0, "%s, killed: all on their node", c->name);
	munmap(map, SIZE);
	close(fd);
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	size_t i;

	if (!vmm_gmem_is_ours()) {
		tap_skip("native 7.3 ends fallocate() at any signal", "signals");
		return tap_exit();
	}

	must(!sigaction(SIGUSR1, &action, NULL) && !sigaction(SIGALRM, &action, NULL));
	test_guest_is_interrupted();
	test_allocation_beside_timer();
	test_allocation_beside_stops();
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		test_killed(&calls[i]);
	return tap_exit();
}
