// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory is taken offline under a running guest. Blocks that hold the guest's pages stay, other
 * blocks may go, and neither the guest nor the host notices.
 */
#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "numa.h"
#include "tap.h"
#include "vmm.h"

#define NODE_UNDER_TEST 1
#define N 1024UL
#define SIZE (N * PAGE)

#define MEMORY "/sys/devices/system/memory/"

static struct vmm vm;
static int fd;
static char *map;
static uint64_t frames[N];

static uint64_t frame_of(int pagemap, char *p)
{
	uint64_t entry;

	(void)*(volatile char *)p;
	must(pread(pagemap, &entry, 8, (uintptr_t)p / PAGE * 8) == 8);
	return entry & ((1ULL << 55) - 1);
}

static void frames_of_all(uint64_t *to)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY);
	unsigned long i;

	must(pagemap >= 0);
	for (i = 0; i < N; i++)
		to[i] = frame_of(pagemap, map + i * PAGE);
	close(pagemap);
}

static uint64_t frames_per_block(void)
{
	char text[32] = {};
	int f = open(MEMORY "block_size_bytes", O_RDONLY);

	must(f >= 0 && read(f, text, sizeof(text) - 1) > 0);
	close(f);
	return strtoull(text, NULL, 16) / PAGE;
}

static bool holds_pages(unsigned long block)
{
	uint64_t size = frames_per_block();
	unsigned long i;

	for (i = 0; i < N; i++) {
		if (frames[i] / size == block)
			return true;
	}
	return false;
}

static volatile bool stop;
static uint64_t rounds;

/* Writes all pages, in each round with another value, and reads them again. */
static void *guest(void *arg)
{
	long errors = 0;
	uint64_t sum;

	for (; !stop; rounds++) {
		errors += !!vmm_write(&vm, 0, VMM_TEST_GPA, N, rounds);
		errors += vmm_sum(&vm, 0, VMM_TEST_GPA, N, &sum) || sum != N * rounds;
	}
	return (void *)errors;
}

/* The number follows the last 'y', as in .../node1/memory32. */
static unsigned long block_number(const char *path)
{
	return strtoul(strrchr(path, 'y') + 1, NULL, 10);
}

static void try_blocks(void)
{
	char path[96];
	int held = 0, gone_with_pages = 0, odd = 0, offline = 0, back = 0;
	glob_t blocks;
	size_t i;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/memory[0-9]*", NODE_UNDER_TEST);
	must(!glob(path, 0, NULL, &blocks));
	for (i = 0; i < blocks.gl_pathc; i++) {
		unsigned long block = block_number(blocks.gl_pathv[i]);
		int err;

		snprintf(path, sizeof(path), MEMORY "memory%lu/state", block);
		err = memory_block_set(path, "offline");
		/*
		 * Blocks that have a hole or belong to two nodes cannot be taken offline: EINVAL.
		 */
		if (err != 0 && err != EBUSY && err != EINTR && err != EINVAL) {
			printf("# block %lu: %s\n", block, strerror(err));
			odd++;
		}
		if (holds_pages(block)) {
			held++;
			gone_with_pages += !err;
			printf("# block %lu, which holds pages: %s\n", block, strerror(err));
		}
		offline += !err;
	}
	ok(held > 0, "%d of the node's %zu blocks hold pages of the guest", held, blocks.gl_pathc);
	is(gone_with_pages, 0, "none of them can be taken offline");
	is(odd, 0, "each attempt succeeds, or fails with EBUSY, EINTR or EINVAL");
	ok(offline > 0, "%d other blocks can be taken offline", offline);
	for (i = 0; i < blocks.gl_pathc; i++) {
		snprintf(path, sizeof(path), MEMORY "memory%lu/state", block_number(blocks.gl_pathv[i]));
		back += !memory_block_set(path, "online");
	}
	is(back, offline, "these blocks come back online");
	globfree(&blocks);
}

static unsigned long moved(void)
{
	static uint64_t now[N];
	unsigned long i, n = 0;

	frames_of_all(now);
	for (i = 0; i < N; i++)
		n += now[i] != frames[i];
	return n;
}

static int on_the_node(unsigned long i)
{
	return NODE_UNDER_TEST;
}

int main(void)
{
	pthread_t thread;
	sigset_t alarms;
	void *errors;
	uint64_t sum;

	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	vmm_create(&vm, 1);
	fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	map = vmm_map(fd, SIZE);
	must(!set_policy(map, SIZE, MPOL_BIND, NODE(NODE_UNDER_TEST)));
	vmm_bind(&vm, fd, SIZE, map);
	must(!vmm_write(&vm, 0, VMM_TEST_GPA, N, 0));
	frames_of_all(frames);

	/* SIGALRM must go to the thread that writes to sysfs. */
	must(!pthread_sigmask(SIG_BLOCK, &alarms, NULL));
	must(!pthread_create(&thread, NULL, guest, NULL));
	must(!pthread_sigmask(SIG_UNBLOCK, &alarms, NULL));
	try_blocks();
	stop = true;
	must(!pthread_join(thread, &errors));
	is((long)errors, 0, "meanwhile the guest reads what it writes");
	ok(rounds > 0, "the guest made %lu rounds", rounds);

	is(moved(), 0, "no page has moved");
	is(pages_off(map, N, on_the_node), 0, "all pages are on their node");
	must(!vmm_write(&vm, 0, VMM_TEST_GPA, N, 3));
	is(map[(N - 1) * PAGE], 3, "the VMM sees what the guest writes");
	vmm_punch(fd, 0, SIZE);
	must(!vmm_sum(&vm, 0, VMM_TEST_GPA, N, &sum));
	is(sum, 0, "a hole takes the pages");
	is(pages_off(map, N, on_the_node), 0, "new pages are on the node");

	munmap(map, SIZE);
	close(fd);
	vmm_destroy(&vm);
	return tap_exit();
}
