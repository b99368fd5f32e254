// SPDX-License-Identifier: GPL-2.0-only
/*
 * cycle N MODULE: loads and unloads the module N times, while other processes (hammer) call
 * everything that the module redirects. Reports its progress, and what the kernel's memory did
 * meanwhile.
 */
#include <fcntl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "race.h"
#include "tap.h"

/* Fields of /proc/meminfo, in KiB, that each load and unload must leave as they were. */
static const char *const fields[] = { "SUnreclaim", "VmallocUsed", "Percpu", "KernelStack" };

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void kernel_memory(long kib[FIELDS])
{
	char line[128], name[64];
	long value;
	FILE *f;
	size_t i;

	write_text("/proc/sys/vm/drop_caches", "3");
	f = fopen("/proc/meminfo", "r");
	must(f);
	while (fgets(line, sizeof(line), f)) {
		for (i = 0; i < FIELDS; i++) {
			if (sscanf(line, "%63[^:]: %ld", name, &value) == 2 && !strcmp(name, fields[i]))
				kib[i] = value;
		}
	}
	fclose(f);
}

static int load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), r;

	must(fd >= 0);
	r = syscall(SYS_finit_module, fd, "", 0);
	close(fd);
	return r;
}

/* Calls in flight hold the module for a moment, files as long as they exist. */
static long unload(void)
{
	double end = seconds_now() + 120;
	long refused = 0;

	while (syscall(SYS_delete_module, "kvm_gmem_numa", O_NONBLOCK)) {
		if (errno != EWOULDBLOCK || seconds_now() > end)
			return -1;
		refused++;
		usleep(2000);
	}
	return refused;
}

int main(int argc, char **argv)
{
	long n, i, refused = 0, r = 0, before[FIELDS], after[FIELDS];
	struct prng dice = prng_seed(time(NULL));
	double begin = seconds_now();
	size_t field;

	must(argc == 3);
	n = atol(argv[1]);
	for (i = 0; i < n; i++) {
		/* By then, everything that is allocated only once has been allocated. */
		if (i == n / 5)
			kernel_memory(before);
		r = load(argv[2]);
		if (!r) {
			usleep(prng_below(&dice, 40000));
			r = unload();
		}
		if (r < 0)
			break;
		refused += r;
		if (i % (n / 10 + 1) == n / 10)
			printf("# %ld of %ld, after %.0f s\n", i + 1, n, seconds_now() - begin);
	}
	ok(i == n, "%ld loads and unloads with calls in flight (%s)", i, i == n ? "all" : strerror(errno));
	printf("# %ld times the module was in use\n", refused);
	printf("# count cycles %ld\n", i);
	if (i < n)
		return tap_exit();

	kernel_memory(after);
	for (field = 0; field < FIELDS; field++)
		ok(after[field] - before[field] < 2048 + n,
		   "%s grows by less than 1 KiB a cycle, and 2 MiB (%ld KiB, then %ld)",
		   fields[field], before[field], after[field]);
	return tap_exit();
}
