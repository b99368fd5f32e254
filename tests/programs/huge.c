// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "huge.h"
#include "tap.h"

bool huge_asked(void)
{
	FILE *f = fopen("/sys/module/kvm_gmem_numa/parameters/huge", "re");
	char word[16] = "never";

	if (!f)
		return false;
	must(fscanf(f, "%15s", word) == 1);
	fclose(f);
	return strcmp(word, "never");
}

long number_in(const char *path, const char *key)
{
	char line[256];
	long n = -1;
	FILE *f = fopen(path, "re");

	must(f);
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, key, strlen(key)))
			n = atol(line + strlen(key));
	}
	fclose(f);
	return n;
}

static long folios(int fd, const char *key)
{
	char path[64];
	long n;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	n = number_in(path, key);
	return n < 0 ? 0 : n;
}

long huge_folios(int fd)
{
	return folios(fd, "guest_memfd_huge_folios:");
}

long small_folios(int fd)
{
	return folios(fd, "guest_memfd_small_folios:");
}

char *huge_map(int fd, uint64_t size)
{
	char *p = vmm_map(fd, size);

	must(!huge_asked() || !madvise(p, size, MADV_HUGEPAGE));
	return p;
}

/* A page in a pipe is neither copied nor moved. */
bool huge_pin(struct huge_pin *pin, void *page)
{
	const struct iovec iov = { page, PAGE };

	must(!pipe2(pin->pipe, O_CLOEXEC));
	return vmsplice(pin->pipe[1], &iov, 1, 0) == PAGE;
}

void huge_unpin(struct huge_pin *pin)
{
	close(pin->pipe[0]);
	close(pin->pipe[1]);
}
