// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "numa.h"
#include "tap.h"
#include "vmm.h"

int set_policy(void *addr, size_t len, int mode, unsigned long nodes)
{
	return mbind(addr, len, mode, nodes ? &nodes : NULL, nodes ? 8 * sizeof(nodes) : 0, 0);
}

int get_policy(void *addr, int *mode, unsigned long *nodes)
{
	unsigned long mask[16] = {};
	int r = get_mempolicy(mode, mask, 8 * sizeof(mask), addr, MPOL_F_ADDR);

	*nodes = mask[0];
	return r;
}

void run_on_node(int node)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(2 * node, &set);
	must(!sched_setaffinity(0, sizeof(set), &set));
}

int page_node(void *addr)
{
	int status = -ENODATA;

	must(!move_pages(0, 1, &addr, NULL, &status, 0));
	return status;
}

unsigned long pages_off(void *addr, unsigned long n, int (*want)(unsigned long i))
{
	volatile char *p = addr;
	unsigned long i, off = 0;

	for (i = 0; i < n; i++) {
		int node;

		(void)p[i * PAGE];
		node = page_node((void *)(p + i * PAGE));
		if (node == want(i))
			continue;
		if (off++ < 3)
			printf("#   page %lu is on node %d, not on %d\n", i, node, want(i));
	}
	return off;
}

void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	must(fd >= 0);
	must(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

#define CGROUP "/sys/fs/cgroup/"

void cgroup_make(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), CGROUP "%s", name);
	mkdir(path, 0755);
}

void cgroup_enter(const char *name)
{
	char path[128], pid[16];

	cgroup_make(name);
	snprintf(path, sizeof(path), CGROUP "%s/cgroup.procs", name);
	snprintf(pid, sizeof(pid), "%d", getpid());
	write_file(path, pid);
}

void cgroup_leave(const char *name)
{
	char path[128], pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	write_file(CGROUP "cgroup.procs", pid);
	snprintf(path, sizeof(path), CGROUP "%s", name);
	rmdir(path);
}

int cgroup_open(const char *name, const char *file)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), CGROUP "%s/%s", name, file);
	fd = open(path, O_WRONLY);
	must(fd >= 0);
	return fd;
}

void cgroup_write(const char *name, const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), CGROUP "%s/%s", name, file);
	write_file(path, text);
}

/* The number at the end of the line that begins with @key and a blank, or -1. */
static long value_in(const char *path, const char *key)
{
	size_t len = strlen(key);
	char line[256];
	long value = -1;
	FILE *f = fopen(path, "r");

	must(f);
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, key, len) && line[len] == ' ')
			value = strtol(line + len, NULL, 10);
	}
	fclose(f);
	return value;
}

long cgroup_value(const char *name, const char *file, const char *key)
{
	char path[128];

	snprintf(path, sizeof(path), CGROUP "%s/%s", name, file);
	return value_in(path, key);
}

long vm_events(const char *what)
{
	return value_in("/proc/vmstat", what);
}

long node_meminfo_kb(int node, const char *what)
{
	char path[64], key[64];
	long kb;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/meminfo", node);
	snprintf(key, sizeof(key), "Node %d %s:", node, what);
	kb = value_in(path, key);
	must(kb >= 0);
	return kb;
}

unsigned long pages_present(void *addr, unsigned long n, bool *first)
{
	unsigned char *there = malloc(n);
	unsigned long i, count = 0, last = 0;

	must(there && !mincore(addr, n * PAGE, there));
	for (i = 0; i < n; i++) {
		if (there[i] & 1) {
			count++;
			last = i;
		}
	}
	free(there);
	*first = !count || last == count - 1;
	return count;
}

/*
 * Reading a cgroup's statistics flushes the per-CPU counts only if there are more than 64 events
 * per CPU. The rest waits for a timer, which may be late, so cause enough events.
 */
static void cgroup_stir(void)
{
	const size_t size = 16 * MIB;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;

	must(p != MAP_FAILED);
	must(!madvise(p, size, MADV_NOHUGEPAGE));
	for (i = 0; i < size; i += PAGE)
		p[i] = 1;
	munmap(p, size);
}

/* The line of a cgroup's file that begins with @word. */
static void cgroup_line(const char *name, const char *file, const char *word, char *line,
			size_t size)
{
	size_t len = strlen(word);
	bool found = false;
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), CGROUP "%s/%s", name, file);
	cgroup_stir();
	f = fopen(path, "r");
	must(f);
	while (!found && fgets(line, size, f))
		found = !strncmp(line, word, len) && line[len] == ' ';
	fclose(f);
	must(found);
}

void cgroup_file_pages(const char *name, long pages[NODES])
{
	char line[512];

	cgroup_line(name, "memory.numa_stat", "file", line, sizeof(line));
	must(sscanf(line, "file N0=%ld N1=%ld", &pages[0], &pages[1]) == 2);
	pages[0] /= PAGE;
	pages[1] /= PAGE;
}

/*
 * The kernel flushes the per-CPU counts when there are more than 64 events per CPU, and every two
 * seconds.
 */
void cgroup_file_pages_added(const char *name, const long before[NODES], long n,
			     long added[NODES])
{
	long sum;
	int i, tries;

	for (tries = 0; tries < 500; tries++) {
		cgroup_file_pages(name, added);
		sum = 0;
		for (i = 0; i < NODES; i++) {
			added[i] -= before[i];
			sum += added[i];
		}
		if (sum == n)
			break;
		usleep(10000);
	}
}

long cgroup_slab_bytes(const char *name)
{
	char line[512];

	cgroup_line(name, "memory.stat", "slab", line, sizeof(line));
	return atol(line + strlen("slab "));
}

#define BLOCK_PATIENCE_MS 1500

static void on_alarm(int sig)
{
}

int memory_block_set(const char *path, const char *state)
{
	struct itimerval t = { .it_value.tv_sec = BLOCK_PATIENCE_MS / 1000,
			       .it_value.tv_usec = BLOCK_PATIENCE_MS % 1000 * 1000,
			       .it_interval.tv_usec = 100000 };
	struct sigaction action = { .sa_handler = on_alarm }, old;
	struct itimerval off = {};
	int fd = open(path, O_WRONLY), err;

	must(fd >= 0 && !sigaction(SIGALRM, &action, &old) && !setitimer(ITIMER_REAL, &t, NULL));
	err = write(fd, state, strlen(state)) < 0 ? errno : 0;
	must(!setitimer(ITIMER_REAL, &off, NULL) && !sigaction(SIGALRM, &old, NULL));
	close(fd);
	return err;
}

long node_unevictable_pages(int node)
{
	char path[64], line[256];
	long pages = -1;
	FILE *f;

	/* Flush the per-CPU counts. */
	write_file("/proc/sys/vm/stat_refresh", "1");
	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/vmstat", node);
	f = fopen(path, "r");
	must(f);
	while (fgets(line, sizeof(line), f))
		sscanf(line, "nr_unevictable %ld", &pages);
	fclose(f);
	must(pages >= 0);
	return pages;
}
