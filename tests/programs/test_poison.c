// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page whose memory failed is taken from the guest, and the failure is reported when the guest
 * accesses the page again.
 */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sigbus.h"
#include "tap.h"
#include "vmm.h"

#define N 8UL
#define SIZE (N * PAGE)
#define BAD 3UL

static sigjmp_buf sigbus_return;

static void on_sigbus(int sig)
{
	siglongjmp(sigbus_return, 1);
}

static bool touch_gets_sigbus(char *p)
{
	struct sigaction action = { .sa_handler = on_sigbus }, old;
	bool got;

	must(!sigaction(SIGBUS, &action, &old));
	got = sigsetjmp(sigbus_return, 1);
	if (!got)
		(void)*(volatile char *)p;
	must(!sigaction(SIGBUS, &old, NULL));
	return got;
}

/*
 * Reports a failure as the memory controller would, through the host mapping. The page stays in
 * the file, hence -EBUSY, as for any such page; and if the page was dirty, the task gets a signal
 * at once.
 */
static int try_poison(char *p)
{
	struct sigaction action = { .sa_handler = on_sigbus }, old;
	volatile int err = 0;

	must(!sigaction(SIGBUS, &action, &old));
	if (!sigsetjmp(sigbus_return, 1))
		err = madvise(p, PAGE, MADV_HWPOISON) ? errno : 0;
	must(!sigaction(SIGBUS, &old, NULL));
	return err;
}

static void poison(char *p)
{
	int err = try_poison(p);

	must(!err || err == EBUSY);
}

static void test_poison(enum vmm_nesting nesting, const char *who)
{
	const uint64_t bad_gpa = VMM_TEST_GPA + BAD * PAGE;
	struct kvm_run *run;
	struct vmm vm;
	uint64_t sum;
	char *p;
	int fd;

	vmm_create(&vm, 1);
	run = vm.vcpu[0].run;
	fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	p = vmm_map(fd, SIZE);
	vmm_bind(&vm, fd, SIZE, NULL);
	must(!vmm_write_nested(&vm, 0, nesting, VMM_TEST_GPA, N, 1));

	poison(p + BAD * PAGE);
	ok(touch_gets_sigbus(p + BAD * PAGE), "%s: the VMM gets SIGBUS for the poisoned page", who);

	run->exit_reason = 0;
	fails(vmm_write_nested(&vm, 0, nesting, bad_gpa, 1, 2), EHWPOISON,
	      "%s: the guest's access fails with EHWPOISON", who);
	is(run->exit_reason, KVM_EXIT_MEMORY_FAULT, "%s: KVM_EXIT_MEMORY_FAULT", who);
	is(run->memory_fault.gpa, bad_gpa, "%s: it names the page", who);
	run->exit_reason = 0;
	fails(ioctl(vm.vcpu[0].fd, KVM_RUN, 0), EHWPOISON,
	      "%s: it fails again if tried again", who);
	is(run->exit_reason, KVM_EXIT_MEMORY_FAULT, "%s: KVM_EXIT_MEMORY_FAULT again", who);
	must(!vmm_halt(&vm, 0));
	is(vmm_write_nested(&vm, 0, nesting, VMM_TEST_GPA, BAD, 1), 0,
	   "%s: the pages before it work", who);
	is(vmm_write_nested(&vm, 0, nesting, bad_gpa + PAGE, N - BAD - 1, 1), 0,
	   "%s: the pages behind it work", who);

	vmm_punch(fd, BAD * PAGE, PAGE);
	is(vmm_sum(&vm, 0, VMM_TEST_GPA, N, &sum), 0, "%s: a hole replaces the page", who);
	is(sum, N - 1, "%s: the new page is zero", who);

	munmap(p, SIZE);
	close(fd);
	vmm_destroy(&vm);
}

static void test_prefault(void)
{
	struct vmm vm;
	char *p;
	int fd;

	vmm_create(&vm, 1);
	fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	p = vmm_map(fd, SIZE);
	vmm_bind(&vm, fd, SIZE, p);
	p[BAD * PAGE] = 1;
	poison(p + BAD * PAGE);
	fails(vmm_prefault(&vm, 0, VMM_TEST_GPA + BAD * PAGE, PAGE), EHWPOISON,
	      "KVM_PRE_FAULT_MEMORY of a poisoned page fails with EHWPOISON");
	munmap(p, SIZE);
	close(fd);
	vmm_destroy(&vm);
}

static uint64_t page_address(char *p)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry;

	must(fd >= 0);
	must(pread(fd, &entry, 8, (uintptr_t)p / PAGE * 8) == 8);
	close(fd);
	return (entry & ((1ULL << 55) - 1)) * PAGE;
}

/*
 * Memory that corrects errors too often should be replaced. A page that only the guest has mapped
 * must not be taken for an unused page.
 */
static void test_soft_offline(void)
{
	char text[32], *p;
	struct vmm vm;
	uint64_t sum;
	int fd, soft;

	vmm_create(&vm, 1);
	fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	vmm_bind(&vm, fd, SIZE, NULL);
	must(!vmm_write(&vm, 0, VMM_TEST_GPA, N, 7));
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	must(p != MAP_FAILED && *(volatile char *)p == 7);
	snprintf(text, sizeof(text), "%#lx", page_address(p));
	must(!munmap(p, PAGE));

	soft = open("/sys/devices/system/memory/soft_offline_page", O_WRONLY);
	must(soft >= 0);
	fails(write(soft, text, strlen(text)), EBUSY, "a page of a guest is not taken out of use");
	close(soft);

	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	must(p != MAP_FAILED);
	is(*(volatile char *)p, 7, "the VMM sees what the guest wrote before");
	must(!vmm_write(&vm, 0, VMM_TEST_GPA, 1, 9));
	is(*(volatile char *)p, 9, "the VMM sees what the guest writes after");
	must(!vmm_sum(&vm, 0, VMM_TEST_GPA, N, &sum));
	is(sum, 9 + 7 * (N - 1), "the guest sees it, too");
	munmap(p, PAGE);
	close(fd);
	vmm_destroy(&vm);
}

struct puncher {
	int fd;
	volatile bool stop;
};

static void *punch_until_stopped(void *arg)
{
	struct puncher *p = arg;

	while (!p->stop)
		vmm_punch(p->fd, 0, SIZE);
	return NULL;
}

/*
 * Memory fails while holes are punched. Both need the page's lock and the file's lock, and
 * upstream takes them in opposite orders.
 */
static void test_poison_against_punch(void)
{
	struct puncher puncher = {};
	struct vmm vm;
	pthread_t t;
	long i;
	char *p;

	vmm_create(&vm, 1);
	puncher.fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, puncher.fd, 0);
	must(p != MAP_FAILED);
	vmm_bind(&vm, puncher.fd, SIZE, p);
	must(!pthread_create(&t, NULL, punch_until_stopped, &puncher));
	for (i = 0; i < 200; i++)
		try_poison(p + i % N * PAGE);
	puncher.stop = true;
	pthread_join(t, NULL);
	ok(true, "200 pages fail while holes are punched, and nothing locks up");

	munmap(p, SIZE);
	close(puncher.fd);
	vmm_destroy(&vm);
}

/* From the kernel headers; the C library defines only MADV_HWPOISON. */
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif

#define HAMMER_ROUNDS 60

static volatile bool hammer_stop;
static uint64_t guest_rounds, host_rounds;

/* Write each page by itself, because the pages behind a bad one must be written, too. */
static void *hammer_as_guest(void *arg)
{
	struct vmm *vm = arg;
	long odd = 0;
	uint64_t i;

	for (; !hammer_stop; guest_rounds++) {
		for (i = 0; i < N; i++) {
			if (vmm_write(vm, 0, VMM_TEST_GPA + i * PAGE, 1, 5))
				odd += errno != EHWPOISON;
		}
	}
	return (void *)odd;
}

static void *hammer_as_host(void *arg)
{
	char *p = arg;
	uint64_t i;

	for (; !hammer_stop; host_rounds++) {
		for (i = 0; i < N; i++) {
			sigbus_read(p + i * PAGE);
			sigbus_write(p + i * PAGE + 8, 6);
		}
	}
	return NULL;
}

static void inject_hard(char *p)
{
	madvise(p, PAGE, MADV_HWPOISON);
}

static void inject_soft(char *p)
{
	madvise(p, PAGE, MADV_SOFT_OFFLINE);
}

/*
 * Memory fails, or must be replaced, while a guest and a host are using it. Holes in between
 * ensure that each failure hits a page in use.
 */
static void test_hammered(void (*inject)(char *), const char *what)
{
	struct puncher puncher = {};
	pthread_t guest, host, hole;
	struct vmm vm;
	uint64_t sum;
	void *odd;
	char *p;
	int i;

	vmm_quiet = true;
	hammer_stop = false;
	guest_rounds = host_rounds = 0;
	vmm_create(&vm, 1);
	puncher.fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, puncher.fd, 0);
	must(p != MAP_FAILED);
	vmm_bind(&vm, puncher.fd, SIZE, p);
	sigbus_catch();
	must(!pthread_create(&guest, NULL, hammer_as_guest, &vm));
	must(!pthread_create(&host, NULL, hammer_as_host, p));
	must(!pthread_create(&hole, NULL, punch_until_stopped, &puncher));
	while (!guest_rounds || !host_rounds)
		usleep(1000);
	for (i = 0; i < HAMMER_ROUNDS; i++)
		inject(p + i % N * PAGE);
	hammer_stop = puncher.stop = true;
	must(!pthread_join(guest, &odd) && !pthread_join(host, NULL) && !pthread_join(hole, NULL));
	is((long)odd, 0, "%s under guest, host and holes: the guest gets EHWPOISON, or nothing", what);
	ok(guest_rounds && host_rounds, "%s: in %lu rounds of the guest, %lu of the host", what,
	   guest_rounds, host_rounds);

	vmm_punch(puncher.fd, 0, SIZE);
	must(!vmm_halt(&vm, 0));
	must(!vmm_sum(&vm, 0, VMM_TEST_GPA, N, &sum));
	is(sum, 0, "%s: afterwards a hole removes every page", what);
	must(!vmm_write(&vm, 0, VMM_TEST_GPA, N, 0x55));
	/*
	 * Punching a hole removes pages from the host's page tables, but not the entry that marks
	 * a page bad.
	 */
	must(!madvise(p, SIZE, MADV_DONTNEED));
	for (i = 0, sum = 0; i < (int)N; i++)
		sum += *(uint64_t *)(p + i * PAGE);
	is(sum, N * 0x55, "%s: and guest and host see the same pages", what);

	munmap(p, SIZE);
	close(puncher.fd);
	vmm_destroy(&vm);
}

int main(void)
{
	test_poison(VMM_L1, "guest");
	test_poison(VMM_L2, "nested guest");
	if (!vmm_prefault_error()) {
		test_poison(VMM_L2_NPT, "nested guest with nested paging");
		test_prefault();
	}
	test_soft_offline();
	if (vmm_gmem_is_ours()) {
		test_poison_against_punch();
		test_hammered(inject_hard, "memory that fails");
		test_hammered(inject_soft, "memory that is to be replaced");
	} else {
		tap_skip("upstream can deadlock here", "pages fail while holes are punched");
	}
	return tap_exit();
}
