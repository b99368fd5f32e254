// SPDX-License-Identifier: GPL-2.0-only
/*
 * Closes everything that can be closed, in every order, in the middle of use; and kills a VMM. A
 * leak shows when the module is unloaded: that needs the last reference to be dropped, and
 * destroys a slab cache that must be empty.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "numa.h"
#include "tap.h"
#include "vmm.h"

#define N 16UL
#define SIZE (N * PAGE)

enum { CLOSE_FILE, CLOSE_MAPPING, CLOSE_SLOT, CLOSE_VCPU, CLOSE_VM, THINGS };

struct things {
	struct vmm vm;
	int fd;
	char *p;
	bool closed[THINGS];
};

static void create_things(struct things *t)
{
	memset(t, 0, sizeof(*t));
	vmm_create(&t->vm, 1);
	t->fd = vmm_gmem(&t->vm, SIZE, VMM_GMEM_BOTH);
	t->p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, t->fd, 0);
	must(t->p != MAP_FAILED);
	must(!set_policy(t->p, SIZE / 2, MPOL_BIND, NODE(1)));
	must(!set_policy(t->p + SIZE / 2, SIZE / 2, MPOL_INTERLEAVE, BOTH_NODES));
	vmm_bind(&t->vm, t->fd, SIZE, t->p);
	must(!vmm_write(&t->vm, 0, VMM_TEST_GPA, N, 1));
	t->p[0] = 2;
}

/* What is left is still used between two closes. Whether that succeeds depends on what is left. */
static void use_things(struct things *t)
{
	if (!t->closed[CLOSE_FILE])
		fallocate(t->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, SIZE / 2);
	if (!t->closed[CLOSE_MAPPING])
		*(volatile char *)t->p = 3;
	if (!t->closed[CLOSE_VCPU] && !t->closed[CLOSE_SLOT])
		vmm_write(&t->vm, 0, VMM_TEST_GPA, N, 4);
}

static void close_thing(struct things *t, int thing)
{
	int size = ioctl(t->vm.kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);

	switch (thing) {
	case CLOSE_FILE:
		must(!close(t->fd));
		break;
	case CLOSE_MAPPING:
		must(!munmap(t->p, SIZE));
		break;
	case CLOSE_SLOT:
		/* With the VM's descriptor closed, the slot goes with the VM. */
		if (!t->closed[CLOSE_VM])
			must(!vmm_delete_slot(&t->vm, VMM_TEST_SLOT));
		break;
	case CLOSE_VCPU:
		must(!munmap(t->vm.vcpu[0].run, size));
		must(!close(t->vm.vcpu[0].fd));
		break;
	case CLOSE_VM:
		must(!close(t->vm.fd));
		break;
	}
	t->closed[thing] = true;
}

static void destroy_things(struct things *t, const int *order)
{
	int i;

	for (i = 0; i < THINGS; i++) {
		close_thing(t, order[i]);
		use_things(t);
	}
	close(t->vm.kvm_fd);
	munmap(t->vm.ctrl, 64 * PAGE);
}

static int permutations(int *order, int n, int *count)
{
	struct things t;
	int i;

	if (n == THINGS) {
		create_things(&t);
		destroy_things(&t, order);
		++*count;
		return 0;
	}
	for (i = n; i < THINGS; i++) {
		int swap = order[n];

		order[n] = order[i];
		order[i] = swap;
		permutations(order, n + 1, count);
		order[i] = order[n];
		order[n] = swap;
	}
	return 0;
}

/* The kernel closes everything in its own order, while a vCPU is running. */
static void test_killed(void)
{
	int i, killed = 0;

	for (i = 0; i < 20; i++) {
		struct things t;
		int status;
		pid_t pid = fork();

		must(pid >= 0);
		if (!pid) {
			create_things(&t);
			for (;;)
				use_things(&t);
		}
		usleep(20000 + i * 3000);
		must(!kill(pid, SIGKILL));
		must(waitpid(pid, &status, 0) == pid);
		killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	}
	is(killed, 20, "a VMM is killed in the middle of it, 20 times");
}

/* A child keeps the file and the mapping, and so keeps the VM alive. */
static void test_inherited(void)
{
	struct things t;
	int order[THINGS] = { CLOSE_VM, CLOSE_VCPU, CLOSE_FILE, CLOSE_SLOT, CLOSE_MAPPING };
	int status, go[2];
	pid_t pid;

	create_things(&t);
	must(!pipe(go));
	pid = fork();
	must(pid >= 0);
	if (!pid) {
		char c;

		close(go[1]);
		must(read(go[0], &c, 1) == 0);
		/* The file's creator is gone; the file still holds memory, under its policy. */
		memset(t.p, 5, SIZE);
		_exit(page_node(t.p) == 1 &&
		      !fallocate(t.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, SIZE) ? 0 : 1);
	}
	close(go[0]);
	destroy_things(&t, order);
	close(go[1]);
	must(waitpid(pid, &status, 0) == pid);
	ok(WIFEXITED(status) && !WEXITSTATUS(status), "a child uses the file when the VMM is gone");
}

/* An inotify watch holds the inode when file, mapping and process are gone. */
static void test_watched(void)
{
	int watch = inotify_init1(0), status, fd;
	char path[64];
	pid_t pid = fork();

	must(watch >= 0 && pid >= 0);
	if (!pid) {
		struct vmm vm;

		vmm_create(&vm, 0);
		fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
		must(!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, SIZE));
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		must(inotify_add_watch(watch, path, IN_ALL_EVENTS) >= 0);
		_exit(0);
	}
	must(waitpid(pid, &status, 0) == pid);
	ok(WIFEXITED(status) && !WEXITSTATUS(status), "a VMM ends whose file is watched by inotify");
	sync();
	ok(true, "the file systems can be synced after that");
	close(watch);
}

static long held_pages(void)
{
	return node_unevictable_pages(0) + node_unevictable_pages(1);
}

/* The figure that must show that no pages are lost does show pages that are held. */
static void test_witness(void)
{
	const long n = 1024;
	long before = held_pages();
	struct vmm vm;
	int fd;

	vmm_create(&vm, 0);
	fd = vmm_gmem(&vm, n * PAGE, VMM_GMEM_BOTH);
	must(!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, n * PAGE));
	/* Except for a few that wait in a CPU's batch. */
	ok(held_pages() - before > n - 64, "pages of a file are counted while it is open");
	close(fd);
	ok(held_pages() - before < 64, "pages of a file are not counted when it is closed");
	vmm_destroy(&vm);
}

int main(void)
{
	int order[THINGS] = { CLOSE_FILE, CLOSE_MAPPING, CLOSE_SLOT, CLOSE_VCPU, CLOSE_VM };
	long before[NODES], after[NODES];
	int count = 0, node;

	test_witness();
	for (node = 0; node < NODES; node++)
		before[node] = node_unevictable_pages(node);

	permutations(order, 0, &count);
	is(count, 120, "file, mapping, slot, vCPU and VM closed in every order");
	test_inherited();
	test_killed();
	test_watched();

	/* The last files are closed by tasks that have just been killed. */
	sleep(1);
	for (node = 0; node < NODES; node++) {
		after[node] = node_unevictable_pages(node);
		ok(after[node] < before[node] + (long)N, "node %d has its memory back (%ld, then %ld pages held)",
		   node, before[node], after[node]);
	}
	return tap_exit();
}
