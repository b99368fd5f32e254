// SPDX-License-Identifier: GPL-2.0-only
/* any_call [SECONDS [SEED]] */
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../race.h"
#include "any_call.h"

#define PROCESSES 3

static struct vmm vm;
static int shared_file[SHARED];
static uint64_t seed, started;

static pid_t start_process(void)
{
	pid_t pid = fork();

	must(pid >= 0);
	if (!pid)
		process(shared_file, seed * 1000003 + started);
	started++;
	return pid;
}

static void end_process(pid_t pid)
{
	int status;

	must(!kill(pid, SIGKILL) && waitpid(pid, &status, 0) == pid);
}

/* Each process lives for a second or two. */
static void run(double seconds)
{
	struct prng dice = prng_seed(seed);
	double end = seconds_now() + seconds;
	pid_t pid[PROCESSES];
	int i;

	for (i = 0; i < PROCESSES; i++)
		pid[i] = start_process();
	while (seconds_now() < end) {
		usleep(300000 + prng_below(&dice, 1000000));
		i = prng_below(&dice, PROCESSES);
		end_process(pid[i]);
		pid[i] = start_process();
	}
	for (i = 0; i < PROCESSES; i++)
		end_process(pid[i]);
}

static off_t size_of(int fd)
{
	struct stat st;

	must(!fstat(fd, &st));
	return st.st_size;
}

static void all_works(void)
{
	char *map = vmm_map(shared_file[0], SIZE);
	uint64_t sum, i, bad = 0;

	for (i = 0; i < SHARED; i++)
		is(size_of(shared_file[i]), SIZE, "afterwards a file has its size");
	vmm_bind(&vm, shared_file[0], SIZE, map);
	is(set_policy(map, SIZE, MPOL_BIND, NODE(1)), 0, "a policy is set");
	vmm_punch(shared_file[0], 0, SIZE);
	must(!vmm_sum(&vm, 0, VMM_TEST_GPA, N, &sum));
	is(sum, 0, "the guest reads zeroes from a hole");
	must(!vmm_write(&vm, 0, VMM_TEST_GPA, N, 7));
	for (i = 0; i < N; i++)
		bad += map[i * PAGE] != 7 || page_node(map + i * PAGE) != 1;
	is(bad, 0, "and what it writes is in the file, on the node of the policy");
	munmap(map, SIZE);
}

static void report(void)
{
	size_t i;

	for (i = 0; i < calls_count + acts_count; i++)
		printf("# %-24s %lu succeeded\n", i < calls_count ? calls[i].name : acts[i - calls_count].name,
		       totals->good_of[i]);
	printf("# count system-calls %lu\n", totals->calls);
	ok(totals->good > totals->calls / 20, "%lu of %lu calls succeeded", totals->good, totals->calls);
}

int main(int argc, char **argv)
{
	int i;

	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
	vmm_quiet = true;
	totals = mmap(NULL, sizeof(*totals), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(totals != MAP_FAILED && calls_count + acts_count <= ACTIONS_MAX);
	vmm_create(&vm, 1);
	for (i = 0; i < SHARED; i++)
		shared_file[i] = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);

	run(argc > 1 ? atof(argv[1]) : 10);
	printf("# seed %lu, %lu processes\n", seed, started);
	report();
	all_works();

	for (i = 0; i < SHARED; i++)
		close(shared_file[i]);
	vmm_destroy(&vm);
	return tap_exit();
}
