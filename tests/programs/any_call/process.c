// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../race.h"
#include "any_call.h"

#define CALLERS 2	/* threads */

struct totals *totals;
static struct vmm vm;

static bool make_call(struct caller *c, const struct call *call)
{
	long arg[6] = {};
	size_t i;

	for (i = 0; call->takes[i]; i++)
		arg[i] = argument(c, call, call->takes[i]);
	return syscall(call->nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]) >= 0;
}

static void count(size_t action, bool good)
{
	__atomic_add_fetch(&totals->calls, 1, __ATOMIC_RELAXED);
	if (!good)
		return;
	__atomic_add_fetch(&totals->good, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&totals->good_of[action], 1, __ATOMIC_RELAXED);
}

/* One in three actions is an act. */
static void *caller_thread(void *arg)
{
	struct caller *c = arg;
	size_t i;

	for (;;) {
		if (roll(c, 3)) {
			i = roll(c, calls_count);
			count(i, make_call(c, &calls[i]));
		} else {
			i = roll(c, acts_count);
			count(calls_count + i, acts[i].act(c));
		}
	}
	return NULL;
}

static void *guest_thread(void *arg)
{
	struct caller *c = arg;

	for (;;) {
		if (vmm_write(&vm, 0, VMM_TEST_GPA + roll(c, 3 * N) * PAGE, 1 + roll(c, N), 1))
			vmm_halt(&vm, 0);
		usleep(200);
	}
	return NULL;
}

static void put_at(int fd, int at)
{
	if (fd < 0)
		return;
	must(dup3(fd, at, 0) == at);
	close(fd);
}

/*
 * Files of other kinds, and mappings, must not use up memory. Descriptors that a call created
 * without this program knowing must not pile up.
 */
static void set_limits(void)
{
	must(!setrlimit(RLIMIT_FSIZE, &(struct rlimit){ MIB, MIB }));
	must(!setrlimit(RLIMIT_AS, &(struct rlimit){ 384 * MIB, 384 * MIB }));
	must(!setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 256, 256 }));
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGIO, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
}

static void open_descriptors(const int *files)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_WP_ASYNC };
	int pipes[2], i;

	for (i = 0; i < SHARED; i++)
		must(dup3(files[i], FD_FILE + i, 0) >= 0);
	for (i = SHARED; i < FILES; i++)
		put_at(vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH), FD_FILE + i);
	must(dup3(vm.fd, FD_VM, 0) >= 0 && dup3(vm.vcpu[0].fd, FD_VCPU, 0) >= 0);
	put_at(open("/proc/self/mem", O_RDWR), FD_MEM);
	put_at(memfd_create("other", MFD_ALLOW_SEALING), FD_MEMFD);
	must(!ftruncate(FD_MEMFD, SIZE));
	put_at(open("/dev/zero", O_RDWR), FD_ZERO);
	must(!pipe2(pipes, O_NONBLOCK));
	put_at(pipes[0], FD_PIPE_OUT);
	put_at(pipes[1], FD_PIPE_IN);
	put_at(epoll_create1(0), FD_EPOLL);
	put_at(inotify_init1(IN_NONBLOCK), FD_INOTIFY);
	put_at(fanotify_init(FAN_NONBLOCK, O_RDONLY), FD_FANOTIFY);
	put_at(syscall(SYS_userfaultfd, O_NONBLOCK), FD_UFFD);
	ioctl(FD_UFFD, UFFDIO_API, &api);
	put_at(eventfd(1, EFD_NONBLOCK), FD_EVENT);
}

static void map_files(void)
{
	int i;

	must(mmap((void *)SCRATCH, SCRATCH_PAGES * PAGE, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED);
	for (i = 0; i < FILES; i++)
		must(mmap((void *)(ARENA + 2 * i * SIZE), SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			  FD_FILE + i, 0) != MAP_FAILED);
}

/* The process has its own mappings, but shares files with other processes. */
void process(const int *files, uint64_t seed)
{
	static struct caller caller[CALLERS + 1];
	pthread_t id;
	size_t i;

	guard_init();
	vmm_create(&vm, 1);
	open_descriptors(files);
	map_files();
	set_limits();
	/* From now on, nothing that a helper prints is meaningful. */
	must(freopen("/dev/null", "w", stdout));

	for (i = 0; i <= CALLERS; i++) {
		caller[i].dice = prng_seed(seed * (CALLERS + 1) + i);
		must(!pthread_create(&id, NULL, i < CALLERS ? caller_thread : guest_thread, &caller[i]));
	}
	for (;;)
		pause();
}
