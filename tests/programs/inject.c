// SPDX-License-Identifier: GPL-2.0-only
/*
 * inject calls | inject load MODULE STRIDE: let each allocation of a call fail in turn, until a run
 * passes untouched. An error must be one that the caller can understand, and leave
 * everything so that the same call then succeeds.
 *
 * Needs CONFIG_FAULT_INJECTION with failslab and fail_page_alloc.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "numa.h"
#include "tap.h"
#include "vmm.h"

#define N 32UL
#define SIZE (N * PAGE)

static struct vmm vm;
static int fd = -1;
static char *map = MAP_FAILED;

static void write_text(const char *path, const char *text)
{
	int f = open(path, O_WRONLY);

	must(f >= 0);
	must(write(f, text, strlen(text)) == (ssize_t)strlen(text));
	close(f);
}

/* Allocations that can sleep or use high memory are left out by default; ours are such. */
static void enable(void)
{
	write_text("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	write_text("/sys/kernel/debug/failslab/verbose", "0");
	write_text("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	write_text("/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", "N");
	write_text("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	write_text("/sys/kernel/debug/fail_page_alloc/verbose", "0");
}

static int nth_file;

/* The nth allocation of this task from now on fails; 0: none. */
static void fail_nth(int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", n);

	must(pwrite(nth_file, text, len, 0) == len);
}

/* Has it? */
static bool has_failed(void)
{
	char text[16] = {};

	must(pread(nth_file, text, sizeof(text) - 1, 0) > 0);
	return atoi(text) == 0;
}

/* Each call sets up what it needs before it is told to fail; then is called, perhaps again. */
static void with_vm(void)
{
	vmm_create(&vm, 1);
}

static void with_file(void)
{
	with_vm();
	fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
}

static void with_map(void)
{
	with_file();
	map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(map != MAP_FAILED);
}

static void with_policy(void)
{
	with_map();
	must(!set_policy(map, SIZE, MPOL_BIND, NODE(1)));
}

static void with_pages(void)
{
	with_policy();
	must(!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, SIZE));
}

static void with_slot(void)
{
	with_policy();
	vmm_bind(&vm, fd, SIZE, map);
	must(!vmm_halt(&vm, 0));
}

static void with_guest(void)
{
	with_slot();
	must(!vmm_write(&vm, 0, VMM_TEST_GPA, N, 1));
}

static void tear_down(void)
{
	if (map != MAP_FAILED)
		munmap(map, SIZE);
	if (fd >= 0)
		close(fd);
	vmm_destroy(&vm);
	map = MAP_FAILED;
	fd = -1;
}

static int call_create(void)
{
	fd = vmm_gmem_try(&vm, SIZE, VMM_GMEM_BOTH);
	return fd < 0 ? -1 : 0;
}

static int call_mmap(void)
{
	map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return map == MAP_FAILED ? -1 : 0;
}

static int call_mbind(void)
{
	return set_policy(map, SIZE, MPOL_BIND, NODE(1));
}

static int call_mbind_middle(void)
{
	return set_policy(map + SIZE / 4, SIZE / 2, MPOL_INTERLEAVE, BOTH_NODES);
}

static int call_fallocate(void)
{
	return fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, SIZE);
}

static int call_punch(void)
{
	return fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0, SIZE);
}

static int call_populate(void)
{
	return madvise(map, SIZE, MADV_POPULATE_WRITE);
}

/* A fault that fails for want of memory is taken again by the kernel. */
static int call_touch(void)
{
	*(volatile char *)map = 1;
	return 0;
}

static int call_bind(void)
{
	return vmm_slot(&vm, VMM_TEST_SLOT, KVM_MEM_GUEST_MEMFD, VMM_TEST_GPA, SIZE, map, fd, 0);
}

static int call_unbind(void)
{
	return vmm_delete_slot(&vm, VMM_TEST_SLOT);
}

static int call_guest(void)
{
	return vmm_write(&vm, 0, VMM_TEST_GPA, N, 2);
}

static int call_close(void)
{
	int r = close(fd);

	fd = -1;
	return r;
}

static const struct call {
	const char *name;
	void (*set_up)(void);
	int (*call)(void);
} calls[] = {
	{ "KVM_CREATE_GUEST_MEMFD", with_vm, call_create },
	{ "mmap()", with_file, call_mmap },
	{ "mbind(), the first", with_map, call_mbind },
	{ "mbind(), which splits a range", with_policy, call_mbind_middle },
	{ "a host fault", with_policy, call_touch },
	{ "a host fault on a page that is there", with_pages, call_touch },
	{ "MADV_POPULATE_WRITE", with_policy, call_populate },
	{ "fallocate()", with_policy, call_fallocate },
	{ "a memslot", with_policy, call_bind },
	{ "guest faults", with_slot, call_guest },
	{ "a hole under a guest", with_guest, call_punch },
	{ "a deleted memslot", with_guest, call_unbind },
	{ "the last close", with_pages, call_close },
	{ "a close under a guest", with_guest, call_close },
};

static bool is_expected(int err)
{
	return err == ENOMEM || err == EINTR || err == EFAULT || err == ENFILE;
}

/* One point: -1 if the call passed untouched, else how many errors were not expected. */
static int inject(const struct call *c, int n)
{
	int r, err, bad = 0;
	bool failed;

	c->set_up();
	fail_nth(n);
	r = c->call();
	err = errno;
	failed = has_failed();
	fail_nth(0);

	if (r && !(failed && is_expected(err))) {
		printf("# %s, allocation %d: errno %d\n", c->name, n, err);
		bad++;
	}
	/* The first guest fault after one that failed may say so as well. */
	if (r && c->call() && !(errno == EINTR && !c->call())) {
		printf("# %s, allocation %d failed: then errno %d for ever\n", c->name, n, errno);
		bad++;
	}
	tear_down();
	return failed ? bad : -1;
}

static void inject_all(const struct call *c)
{
	int n, r, bad = 0;

	for (n = 1; (r = inject(c, n)) >= 0; n++)
		bad += r;
	printf("# %s: %d points\n", c->name, n - 1);
	is(bad, 0, "%s: each allocation fails in turn, and nothing else happens", c->name);
	ok(n > 1 || c->call == call_touch || c->call == call_punch || c->call == call_close ||
	   c->call == call_unbind, "%s: allocates", c->name);
}

static void inject_calls(void)
{
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		inject_all(&calls[i]);
}

static int load(int file)
{
	return syscall(SYS_finit_module, file, "", 0);
}

static int unload(void)
{
	return syscall(SYS_delete_module, "kvm_gmem_numa", O_NONBLOCK);
}

/*
 * Most allocations of a load are the module loader's own, hundreds of them, at each of
 * which the load is refused and nothing of ours has run. So there can be a stride.
 */
static void inject_load(const char *path, int stride)
{
	int n, bad = 0, refused = 0, file = open(path, O_RDONLY);
	bool failed = true;

	must(file >= 0);
	for (n = 1; failed; n += stride) {
		int r;

		fail_nth(n);
		r = load(file);
		failed = has_failed();
		fail_nth(0);
		refused += !!r;
		if (r && !failed) {
			printf("# load, allocation %d: errno %d\n", n, errno);
			bad++;
		}
		if (r && load(file)) {
			printf("# load, after allocation %d failed: errno %d\n", n, errno);
			bad++;
		}
		if (unload()) {
			printf("# unload, after allocation %d failed: errno %d\n", n, errno);
			bad++;
		}
	}
	printf("# load: %d allocations, one in %d failed, refused at %d\n", n - 1 - stride, stride,
	       refused);
	close(file);
	is(bad, 0, "load: each allocation fails in turn, and a second load succeeds");
	ok(refused > 10, "load: is refused for want of memory");
}

int main(int argc, char **argv)
{
	must(argc > 1);
	enable();
	nth_file = open("/proc/thread-self/fail-nth", O_RDWR);
	must(nth_file >= 0);
	if (!strcmp(argv[1], "load"))
		inject_load(argv[2], atoi(argv[3]));
	else
		inject_calls();
	return tap_exit();
}
