// SPDX-License-Identifier: GPL-2.0-only
/* SELinux, with the policy in tests/selinux: which label a domain's guest_memfd has. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tap.h"
#include "vmm.h"

#define SIZE (16 * PAGE)

static void become(const char *context)
{
	int f = open("/proc/self/attr/current", O_WRONLY);

	must(f >= 0);
	must(write(f, context, strlen(context)) == (ssize_t)strlen(context));
	close(f);
}

static void label_of(int fd, char *label, size_t size)
{
	ssize_t len = fgetxattr(fd, "security.selinux", label, size - 1);

	must(len > 0);
	label[len] = 0;
}

/* A domain that the policy allows to create files: the file has the label that the policy names. */
static void as_vmm(void)
{
	char label[128];
	struct vmm vm;
	void *map;
	int fd;

	become("u:r:vmm_t");
	vmm_create(&vm, 1);
	fd = vmm_gmem_try(&vm, SIZE, VMM_GMEM_BOTH);
	ok(fd >= 0, "vmm_t: a file is created");
	label_of(fd, label, sizeof(label));
	ok(!strcmp(label, "u:object_r:kvm_gmem_t"), "vmm_t: its label is %s", label);
	/* The policy defines the map permission and grants it to no domain. */
	map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ok(map == MAP_FAILED && errno == EACCES, "vmm_t: it must not be mapped: EACCES");
	vmm_bind(&vm, fd, SIZE, NULL);
	is(vmm_write(&vm, 0, VMM_TEST_GPA, 16, 1), 0, "vmm_t: a guest runs on it");
	close(fd);
	vmm_destroy(&vm);
}

/* A domain that the policy does not allow to create files. */
static void as_other(void)
{
	struct vmm vm;

	become("u:r:other_t");
	vmm_create(&vm, 1);
	fails(vmm_gmem_try(&vm, SIZE, VMM_GMEM_BOTH), EACCES, "other_t: no file is created");
	vmm_destroy(&vm);
}

int main(void)
{
	/* With this policy, a process cannot change its domain again. */
	tap_in_child(as_vmm);
	tap_in_child(as_other);
	return tap_exit();
}
