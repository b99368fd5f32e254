// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process that may open /dev/kvm and has no other privilege: what it can do, what is refused,
 * and what it can do to the host.
 */
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/falloc.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "numa.h"
#include "tap.h"
#include "vmm.h"

#define N 16UL
#define SIZE (N * PAGE)
#define NOBODY 65534
#define PARAMETERS "/sys/module/kvm_gmem_numa/parameters/"
#define FEATURES "/sys/module/kvm_gmem_numa/features/"

static void become_nobody(void)
{
	struct rlimit none = {};

	must(!setrlimit(RLIMIT_MEMLOCK, &none));
	must(!setresgid(NOBODY, NOBODY, NOBODY) && !setresuid(NOBODY, NOBODY, NOBODY));
	must(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static void user_may(void)
{
	unsigned long i, bad = 0;
	struct vmm vm;
	char *p;
	int fd;

	vmm_create(&vm, 1);
	fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	p = vmm_map(fd, SIZE);
	is(set_policy(p, SIZE, MPOL_BIND, NODE(1)), 0, "any user: a policy");
	is(vmm_slot(&vm, VMM_TEST_SLOT, KVM_MEM_GUEST_MEMFD, VMM_TEST_GPA, SIZE, p, fd, 0), 0,
	   "any user: a memslot");
	is(vmm_write(&vm, 0, VMM_TEST_GPA, N, 1), 0, "any user: a guest");
	for (i = 0; i < N; i++)
		bad += p[i * PAGE] != 1 || page_node(p + i * PAGE) != 1;
	is(bad, 0, "any user: its pages are where they should be");
	is(fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0, SIZE), 0, "any user: a hole");

	fails(mbind(p, SIZE, MPOL_BIND, &(unsigned long){ NODE(0) }, 64, MPOL_MF_MOVE_ALL), EPERM,
	      "any user: MPOL_MF_MOVE_ALL is for root");
	fails(madvise(p, PAGE, MADV_HWPOISON), EPERM, "any user: MADV_HWPOISON is for root");
	munmap(p, SIZE);
	close(fd);
	vmm_destroy(&vm);
}

static void user_may_not(void)
{
	static const char *const parameters[] = { "advertise", "tsc_gate", "force" };
	char path[128];
	size_t i;

	for (i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
		snprintf(path, sizeof(path), PARAMETERS "%s", parameters[i]);
		fails(open(path, O_WRONLY), EACCES,
		      "any user: parameter %s cannot be written", parameters[i]);
	}
	fails(open(FEATURES "guest_memfd", O_WRONLY), EACCES,
	      "any user: features cannot be written");
	ok(open(FEATURES "guest_memfd", O_RDONLY) >= 0, "any user: features can be read");
	fails(syscall(SYS_delete_module, "kvm_gmem_numa", O_NONBLOCK), EPERM,
	      "any user: the module cannot be unloaded");
}

static void as_user(void)
{
	become_nobody();
	user_may();
	if (vmm_gmem_is_ours())
		user_may_not();
}

/* From now on this process may only make these system calls; all others fail with ENOSYS. */
static void confine(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

	must(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	must(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

/*
 * The module passes a memslot's arguments through a mapping, which is not a system call of the
 * process.
 */
static void under_seccomp(void)
{
	struct vmm vm;
	int fd;

	vmm_create(&vm, 1);
	fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	confine();
	fails(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0,
	      ENOSYS, "seccomp: no mmap()");
	is(vmm_slot(&vm, VMM_TEST_SLOT, KVM_MEM_GUEST_MEMFD, VMM_TEST_GPA, SIZE, NULL, fd, 0), 0,
	   "seccomp: ioctl() alone is enough for a memslot");
	is(vmm_write(&vm, 0, VMM_TEST_GPA, N, 1), 0,
	   "seccomp: ioctl() alone is enough for a guest");
}

static void address_space_full(void)
{
	struct rlimit was, full = {};
	struct vmm vm;
	int fd;

	vmm_create(&vm, 1);
	fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	must(!getrlimit(RLIMIT_AS, &was));
	full.rlim_max = was.rlim_max;
	must(!setrlimit(RLIMIT_AS, &full));
	is(vmm_slot(&vm, VMM_TEST_SLOT, KVM_MEM_GUEST_MEMFD, VMM_TEST_GPA, SIZE, NULL, fd, 0), 0,
	   "RLIMIT_AS: a memslot needs no address space");
	is(vmm_slot(&vm, VMM_TEST_SLOT, KVM_MEM_GUEST_MEMFD, VMM_TEST_GPA, 0, NULL, fd, 0), 0,
	   "RLIMIT_AS: deleting a memslot needs no address space");
	must(!setrlimit(RLIMIT_AS, &was));
	close(fd);
	vmm_destroy(&vm);
}

/* The number of the module's lines in the kernel log. */
static unsigned long log_lines(void)
{
	static char log[4 << 20];
	int len = klogctl(3, log, sizeof(log) - 1);
	unsigned long n = 0;
	char *at = log;

	must(len >= 0);
	log[len] = 0;
	while ((at = strstr(at, "kvm_gmem_numa: "))) {
		at++;
		n++;
	}
	return n;
}

#define TIMES 100

static void test_log(void)
{
	unsigned long lines = log_lines();
	struct vmm vm;
	int i, fd;

	vmm_quiet = true;
	vmm_create(&vm, 1);
	fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	for (i = 0; i < TIMES; i++) {
		int other = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);

		vmm_gmem_try(&vm, SIZE + 1, VMM_GMEM_BOTH);
		vmm_gmem_try(&vm, SIZE, ~0ULL);
		fallocate(fd, FALLOC_FL_KEEP_SIZE, 1, SIZE);
		fallocate(fd, FALLOC_FL_KEEP_SIZE, SIZE, SIZE);
		vmm_slot(&vm, VMM_TEST_SLOT, KVM_MEM_GUEST_MEMFD, VMM_TEST_GPA, SIZE, NULL, fd, PAGE);
		vmm_slot(&vm, VMM_TEST_SLOT, KVM_MEM_GUEST_MEMFD, VMM_TEST_GPA, SIZE, NULL, -1, 0);
		vmm_slot(&vm, VMM_TEST_SLOT, ~0U, VMM_TEST_GPA, SIZE, NULL, fd, 0);
		must(!vmm_slot(&vm, VMM_TEST_SLOT, KVM_MEM_GUEST_MEMFD, VMM_TEST_GPA, SIZE, NULL,
			       other, 0));
		close(other);
		vmm_write(&vm, 0, VMM_TEST_GPA, N, 1);
		vmm_delete_slot(&vm, VMM_TEST_SLOT);
		ioctl(vm.fd, KVM_SET_TSC_KHZ, 1);
	}
	is(log_lines() - lines, 0, "%d times each error that any user can cause: no line in the log", TIMES);
	close(fd);
	vmm_destroy(&vm);
}

#define FILES 512

/*
 * The kernel memory of a file is charged to the process that creates it, so that memory.max bounds
 * it.
 */
static void test_accounting(void)
{
	static int fd[FILES];
	long before, after;
	struct vmm vm;
	int i;

	cgroup_enter("files");
	vmm_create(&vm, 1);
	before = cgroup_slab_bytes("files");
	for (i = 0; i < FILES; i++)
		fd[i] = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	after = cgroup_slab_bytes("files");
	printf("# %ld bytes of slab a file\n", (after - before) / FILES);
	ok((after - before) / FILES > 900, "a file's inode and more is charged to the cgroup");
	for (i = 0; i < FILES; i++)
		close(fd[i]);
	vmm_destroy(&vm);
	cgroup_leave("files");
}

int main(void)
{
	must(!chmod("/dev/kvm", 0666));
	tap_in_child(as_user);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) == -1 && errno == EFAULT)
		tap_in_child(under_seccomp);
	else
		tap_skip("a kernel without CONFIG_SECCOMP_FILTER", "seccomp: ioctl() alone is enough");
	tap_in_child(address_space_full);
	test_log();
	test_accounting();
	return tap_exit();
}
