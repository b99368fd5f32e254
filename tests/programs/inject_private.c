// SPDX-License-Identifier: GPL-2.0-only
/*
 * inject_private: makes each allocation fail in turn that is made for private memory. The VMM must
 * get what KVM alone would give it: ENOMEM, or success. No page may be on a node that the policy
 * does not name, except where the file's creation went without the module. Made again, the call
 * must succeed, and all pages must be where the policy says.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fail.h"
#include "numa.h"
#include "private.h"
#include "tap.h"
#include "vmm.h"

#define PARAMETERS "/sys/module/kvm_gmem_numa/parameters/"
#define REDIRECTS "/sys/module/kvm_gmem_numa/features/redirects"

#define N 8UL
#define SIZE (N * PAGE)
#define WANTED 1	/* the node */

static struct vmm vm;
static int fd = -1;
static char *half;
static long points;

static void slot_open(void)
{
	must(!vmm_slot(&vm, VMM_TEST_SLOT, KVM_MEM_GUEST_MEMFD, VMM_TEST_GPA, SIZE, half, fd, 0));
	private_set(&vm, VMM_TEST_GPA, SIZE, true);
	must(!vmm_halt(&vm, 0));
}

static void slot_close(void)
{
	must(!vmm_delete_slot(&vm, VMM_TEST_SLOT));
	private_set(&vm, VMM_TEST_GPA, SIZE, false);
	close(fd);
	fd = -1;
}

/* --- the calls; they return 0, or -1 and errno */

static int call_fault(void)
{
	return private_fault(&vm, 0, VMM_TEST_GPA, SIZE);
}

static int call_guest(void)
{
	return vmm_write(&vm, 0, VMM_TEST_GPA, N, 1);
}

static int call_get_page(void)
{
	uint64_t i;

	for (i = 0; i < N; i++) {
		if (private_get_page(&vm, VMM_TEST_GPA + i * PAGE))
			return -1;
	}
	return 0;
}

/* What was populated before a failure counts as success. */
static int call_populate(void)
{
	static char source[SIZE] __attribute__((aligned(4096)));
	long r = private_populate(&vm, VMM_TEST_GPA, N, source);

	if (r >= 0 && r < (long)N)
		errno = ENOMEM;
	return r == (long)N ? 0 : -1;
}

static int call_fallocate(void)
{
	return fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, SIZE);
}

static int call_create(void)
{
	fd = vmm_gmem_try(&vm, SIZE, 0);
	return fd < 0 ? -1 : 0;
}

static int call_parameter(void)
{
	int f = open(PARAMETERS "private_policy", O_WRONLY | O_CLOEXEC);
	int r, err;

	if (f < 0)
		return -1;
	r = write(f, "1", 1);
	err = errno;
	close(f);
	errno = err;
	return r == 1 ? 0 : -1;
}

/* --- what is before and after */

static void forget_pages(void)
{
	private_share(&vm, fd, 0, VMM_TEST_GPA, SIZE);
	private_set(&vm, VMM_TEST_GPA, SIZE, true);
}

/* As if no file had ever been created: the redirects for private pages are detached. */
static void no_redirects(void)
{
	char text[4096];
	int f, n, i;

	for (i = 0; i < 3000; i++) {
		f = open(REDIRECTS, O_RDONLY);
		must(f >= 0);
		n = read(f, text, sizeof(text) - 1);
		must(n > 0);
		text[n] = 0;
		close(f);
		if (!strstr(text, "kvm_gmem_get_pfn attached"))
			return;
		usleep(10000);
	}
	must(!"redirects are detached when nothing needs them");
}

static int off_node(int8_t nodes[N])
{
	uint64_t i;
	int off = 0;

	private_nodes(&vm, PRIVATE_MEM_PAGE_CACHE, VMM_TEST_GPA, N, nodes);
	for (i = 0; i < N; i++)
		off += nodes[i] != WANTED && nodes[i] != PRIVATE_MEM_NO_PAGE;
	return off;
}

static int complain(const char *name, int n, const char *what, int err)
{
	printf("# %s, allocation %d failed: %s (errno %d)\n", name, n, what, err);
	return 1;
}

/* All pages are there. */
static bool all_on_node(void)
{
	int8_t nodes[N];
	uint64_t i;
	bool all = !off_node(nodes);

	for (i = 0; i < N; i++)
		all = all && nodes[i] == WANTED;
	return all;
}

/*
 * Tries one point of a call that allocates pages: returns -1 if no allocation failed, else how many
 * things were not as expected.
 */
static int inject_pages(const char *name, int (*call)(void), int n)
{
	int8_t nodes[N];
	int r, err, bad = 0;
	bool failed;

	forget_pages();
	fail_nth(n);
	r = call();
	err = errno;
	failed = fail_happened();
	fail_nth(0);

	if (r && !(failed && err == ENOMEM))
		bad += complain(name, n, "not with ENOMEM", err);
	if (off_node(nodes))
		bad += complain(name, n, "pages are elsewhere", 0);
	if (!r && !all_on_node())
		bad += complain(name, n, "it succeeded, and pages are not there", 0);
	/* A page that was populated cannot be populated again. */
	if (call == call_populate)
		forget_pages();
	if (call())
		bad += complain(name, n, "then the call fails", errno);
	if (!all_on_node())
		bad += complain(name, n, "then pages are not where they belong", 0);
	return failed ? bad : -1;
}

/* As KVM alone, the file may not be created; if it is, it works. */
static int inject_create(const char *name, int (*call)(void), int n)
{
	int r, err, bad = 0;
	bool failed;

	no_redirects();
	fail_nth(n);
	r = call();
	err = errno;
	failed = fail_happened();
	fail_nth(0);

	if (r && !(failed && (err == ENOMEM || err == ENFILE)))
		bad += complain(name, n, "not with ENOMEM", err);
	if (!r) {
		slot_open();
		if (call_fallocate() || call_fault())
			bad += complain(name, n, "the file does not work", errno);
		slot_close();
	}
	if (call()) {
		complain(name, n, "then the call fails", errno);
		return ++bad;
	}
	slot_open();
	if (call_fallocate() || !all_on_node())
		bad += complain(name, n, "then pages are not where they belong", errno);
	slot_close();
	return failed ? bad : -1;
}

/* The parameter is as before, or set. */
static int inject_parameter(const char *name, int (*call)(void), int n)
{
	int r, err, bad = 0;
	bool failed;

	write_file(PARAMETERS "private_policy", "0");
	fail_nth(n);
	r = call();
	err = errno;
	failed = fail_happened();
	fail_nth(0);

	if (r && !failed)
		bad += complain(name, n, "fails", err);
	if (r && call())
		bad += complain(name, n, "then the call fails", errno);
	fd = vmm_gmem(&vm, SIZE, 0);
	slot_open();
	if (call_fallocate() || !all_on_node())
		bad += complain(name, n, "then pages are not where they belong", errno);
	slot_close();
	return failed ? bad : -1;
}

static void inject_all(const char *name, int (*call)(void),
		       int (*inject)(const char *name, int (*call)(void), int n))
{
	int n, r, bad = 0;

	for (n = 1; (r = inject(name, call, n)) >= 0; n++)
		bad += r;
	printf("# %s: %d points\n", name, n - 1);
	points += n - 1;
	is(bad, 0, "%s: each allocation fails in turn, and nothing else happens", name);
	ok(n > 1, "%s: allocates", name);
}

static void with_policy(int mode, unsigned long nodes)
{
	must(!set_policy(half, SIZE, mode, nodes));
	fd = vmm_gmem(&vm, SIZE, 0);
	slot_open();
}

static void inject_policy(int mode, unsigned long nodes, const char *name)
{
	static const struct {
		const char *name;
		int (*call)(void);
	} ways[] = {
		{ "KVM_PRE_FAULT_MEMORY", call_fault },
		{ "get_pfn", call_get_page },
		{ "populate", call_populate },
		{ "fallocate", call_fallocate },
	};
	char title[64];
	size_t i;

	with_policy(mode, nodes);
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (ways[i].call == call_populate && !private_can_populate())
			continue;
		snprintf(title, sizeof(title), "%s, %s", name, ways[i].name);
		inject_all(title, ways[i].call, inject_pages);
	}
	slot_close();
}

static void inject_guest(void)
{
	vmm_open_type(&vm, KVM_X86_SW_PROTECTED_VM);
	vmm_start(&vm, 1);
	with_policy(MPOL_BIND, NODE(WANTED));
	inject_all("guest faults", call_guest, inject_pages);
	slot_close();
	vmm_destroy(&vm);
}

int main(void)
{
	int anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
	struct private_mem_rmp rmp;

	if (!private_memory_exists()) {
		tap_skip("this kernel has no private memory", "private memory");
		return 0;
	}
	fail_enable();
	half = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, anonymous, -1, 0);
	must(half != MAP_FAILED);
	run_on_node(!WANTED);
	inject_guest();

	private_create(&vm, 1);
	inject_policy(MPOL_BIND, NODE(WANTED), "bind");
	inject_policy(MPOL_INTERLEAVE, NODE(WANTED), "interleave");
	must(!set_policy(half, SIZE, MPOL_BIND, NODE(WANTED)));
	/* Redirects are detached at once. */
	write_file(PARAMETERS "detach_delay", "0");
	inject_all("KVM_CREATE_GUEST_MEMFD", call_create, inject_create);
	inject_all("parameter private_policy", call_parameter, inject_parameter);
	vmm_destroy(&vm);

	rmp = private_rmp();
	is(rmp.wrong, 0, "nothing happened that hardware would not have forgiven");
	is(rmp.assigned, 0, "all pages became the host's again");
	printf("# count fault-points %ld\n", points);
	return tap_exit();
}
