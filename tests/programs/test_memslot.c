// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memslots with KVM_MEM_GUEST_MEMFD: what can be bound, what is refused and with which error, and
 * that a refused request changes nothing.
 *
 * The expected results are what the native 7.3 kernel answers.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "numa.h"
#include "tap.h"
#include "vmm.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define PAGES 8
#define LARGE (128 * MIB)
#define SIZE (PAGES * PAGE)

#define SLOT 5
#define SPARE_SLOT 99
#define SPARE_GPA (8 * GIB)	/* the guest does not access this */
#define LAST_SLOT (32767 - 3 - 1)
#define AS_ID(n) ((uint32_t)(n) << 16)

typedef struct kvm_userspace_memory_region2 region;

static struct vmm vm, other_vm;

static int set2(const region *r)
{
	return ioctl(vm.fd, KVM_SET_USER_MEMORY_REGION2, r);
}

/* The newer struct begins with the older one. */
static int set1(const region *r)
{
	return ioctl(vm.fd, KVM_SET_USER_MEMORY_REGION, r);
}

static region whole_file(int fd)
{
	return (region){ .slot = SLOT, .flags = KVM_MEM_GUEST_MEMFD,
			 .guest_phys_addr = VMM_TEST_GPA, .memory_size = SIZE,
			 .guest_memfd = fd };
}

static region part_of_file(int fd, uint32_t slot, int gpa_page, int file_page, int pages)
{
	return (region){ .slot = slot, .flags = KVM_MEM_GUEST_MEMFD,
			 .guest_phys_addr = VMM_TEST_GPA + gpa_page * PAGE,
			 .memory_size = pages * PAGE, .guest_memfd = fd,
			 .guest_memfd_offset = file_page * PAGE };
}

static int delete(uint32_t slot)
{
	return vmm_delete_slot(&vm, slot);
}

static void tag_pages(void *p, int n, uint64_t tag)
{
	int i;

	for (i = 0; i < n; i++)
		*(uint64_t *)((char *)p + i * PAGE) = tag + i;
}

/* A file whose pages begin with @tag, @tag + 1 and so on. */
static int tagged_file(struct vmm *of, int pages, uint64_t tag)
{
	int fd = vmm_gmem(of, pages * PAGE, VMM_GMEM_BOTH);
	void *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	must(p != MAP_FAILED);
	tag_pages(p, pages, tag);
	munmap(p, pages * PAGE);
	return fd;
}

static void *tagged_memory(int pages, uint64_t tag)
{
	void *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	must(p != MAP_FAILED);
	tag_pages(p, pages, tag);
	return p;
}

static uint64_t tag_sum(uint64_t tag, uint64_t n)
{
	return n * tag + n * (n - 1) / 2;
}

static bool guest_sees(struct vmm *of, uint64_t gpa, uint64_t tag, int pages)
{
	uint64_t sum;

	return !vmm_sum(of, 0, gpa, pages, &sum) && sum == tag_sum(tag, pages);
}

/* True if the whole file can be bound, that is, no part of it is bound yet. */
static bool unbound(int fd)
{
	region r = whole_file(fd);

	r.slot = SPARE_SLOT;
	r.guest_phys_addr = SPARE_GPA;
	return !set2(&r) && !delete(SPARE_SLOT);
}

/* One test point: the request fails with @err, and leaves nothing bound. */
#define refused(call, err, fd, ...)							\
	do {										\
		int refused_r_ = (call), refused_e_ = refused_r_ ? errno : 0;		\
		bool unbound_ = unbound(fd);						\
		if (!ok(refused_r_ == -1 && refused_e_ == (err) && unbound_, __VA_ARGS__)) \
			printf("#   got errno %d (%s), want %d (%s)%s\n", refused_e_,	\
			       strerror(refused_e_), err, strerror(err),		\
			       unbound_ ? "" : "; something is bound");			\
		if (!refused_r_)							\
			delete(SLOT);							\
	} while (0)

/* Each region is added to a request that would be valid. */
static const struct request_case {
	const char *name;
	int err;
	region add;
} hostile[] = {
	{ "a size that is not whole pages", EINVAL, { .memory_size = -1 } },
	{ "a size that is a byte too large", EINVAL, { .memory_size = 1 } },
	{ "a size past the end", EINVAL, { .memory_size = PAGE } },
	{ "more pages than a slot may have", EINVAL, { .memory_size = 1UL << 43 } },
	{ "a size that is negative", EINVAL, { .memory_size = 1UL << 63 } },
	{ "an unaligned guest address", EINVAL, { .guest_phys_addr = 1 } },
	{ "an unaligned guest address, by half", EINVAL, { .guest_phys_addr = PAGE / 2 } },
	{ "a guest address that wraps", EINVAL, { .guest_phys_addr = -VMM_TEST_GPA - SIZE } },
	{ "a guest address that wraps far", EINVAL, { .guest_phys_addr = -VMM_TEST_GPA - PAGE } },
	{ "a guest address beyond any CPU's", EINVAL, { .guest_phys_addr = 1UL << 52 } },
	{ "an unaligned userspace_addr", EINVAL, { .userspace_addr = 1 } },
	{ "an unaligned userspace_addr, by half", EINVAL, { .userspace_addr = PAGE / 2 } },
	{ "userspace_addr in the kernel", EINVAL, { .userspace_addr = 0xffff888000000000 } },
	{ "userspace_addr at the very end", EINVAL, { .userspace_addr = -PAGE } },
	{ "userspace_addr that runs into the kernel", EINVAL,
	  { .userspace_addr = (1UL << 63) - PAGE } },
	{ "an unaligned offset", EINVAL, { .guest_memfd_offset = 1, .memory_size = -PAGE } },
	{ "an unaligned offset, by half", EINVAL, { .guest_memfd_offset = PAGE / 2 } },
	{ "an offset at the end", EINVAL, { .guest_memfd_offset = SIZE } },
	{ "one page at the end", EINVAL,
	  { .guest_memfd_offset = SIZE, .memory_size = PAGE - SIZE } },
	{ "an offset past the end", EINVAL, { .guest_memfd_offset = 100 * SIZE } },
	{ "an offset that makes it end past the end", EINVAL, { .guest_memfd_offset = PAGE } },
	{ "an offset that is negative", EINVAL, { .guest_memfd_offset = 1UL << 63 } },
	{ "an offset and a size that wrap to 0", EINVAL, { .guest_memfd_offset = -SIZE } },
	{ "an offset and a size that wrap", EINVAL, { .guest_memfd_offset = -PAGE } },
	/* KVM checks this before it checks for an overlap. */
	{ "an offset and a size that wrap, where there is memory", EINVAL,
	  { .guest_memfd_offset = -PAGE, .guest_phys_addr = -VMM_TEST_GPA } },
	{ "an offset and a size that overflow a signed sum", EINVAL,
	  { .guest_memfd_offset = (1UL << 63) - SIZE } },
	{ "a slot number too big", EINVAL, { .slot = LAST_SLOT + 1 - SLOT } },
	{ "the number of a slot of KVM's own", EINVAL, { .slot = LAST_SLOT + 3 - SLOT } },
	{ "the largest slot number", EINVAL, { .slot = 0xffff - SLOT } },
	{ "address space 2", EINVAL, { .slot = AS_ID(2) } },
	{ "address space 65535", EINVAL, { .slot = AS_ID(0xffff) } },
	{ "READONLY", EINVAL, { .flags = KVM_MEM_READONLY } },
	{ "LOG_DIRTY_PAGES", EINVAL, { .flags = KVM_MEM_LOG_DIRTY_PAGES } },
	{ "READONLY and LOG_DIRTY_PAGES", EINVAL,
	  { .flags = KVM_MEM_READONLY | KVM_MEM_LOG_DIRTY_PAGES } },
	{ "no pages and no slot", EINVAL, { .memory_size = -SIZE } },
};

static region sum_of(region r, const region *add)
{
	r.slot += add->slot;
	r.flags += add->flags;
	r.guest_phys_addr += add->guest_phys_addr;
	r.memory_size += add->memory_size;
	r.userspace_addr += add->userspace_addr;
	r.guest_memfd_offset += add->guest_memfd_offset;
	r.guest_memfd += add->guest_memfd;
	return r;
}

static void test_hostile(void)
{
	int fd = tagged_file(&vm, PAGES, 100), bit;
	region r;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hostile); i++) {
		r = sum_of(whole_file(fd), &hostile[i].add);
		refused(set2(&r), hostile[i].err, fd, "%s", hostile[i].name);
	}

	/* Older kernels accept such an address for any slot. */
	r = whole_file(fd);
	r.flags = 0;
	r.guest_memfd = 0;
	r.userspace_addr = 1UL << 62;
	if (set2(&r)) {
		r = whole_file(fd);
		r.userspace_addr = 1UL << 62;
		refused(set2(&r), EINVAL, fd, "userspace_addr not canonical");
	} else {
		delete(SLOT);
		tap_skip("a KVM that allows it for any slot", "userspace_addr not canonical");
	}

	/* KVM itself uses flags from bit 16 upwards to mark its slots. */
	for (bit = 3; bit < 32; bit++) {
		r = whole_file(fd);
		r.flags |= 1U << bit;
		refused(set2(&r), EINVAL, fd, "unknown flag %d", bit);
		r.flags &= ~KVM_MEM_GUEST_MEMFD;
		refused(set2(&r), EINVAL, fd, "unknown flag %d without a file", bit);
	}

	r = whole_file(fd);
	refused(set1(&r), EINVAL, fd, "the old ioctl does not know the flag");
	refused(set2(NULL), EFAULT, fd, "a request that cannot be read");
	close(fd);
}

static void test_hostile_files(void)
{
	int fd = tagged_file(&vm, PAGES, 100), others = tagged_file(&other_vm, PAGES, 200);
	int memfd = memfd_create("test", 0), null = open("/dev/null", O_RDWR), path, closed;
	char name[64];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	path = open(name, O_PATH);
	closed = dup(fd);
	must(path >= 0 && memfd >= 0 && null >= 0 && !ftruncate(memfd, SIZE) && !close(closed));

	const struct {
		const char *name;
		int fd, err;
	} cases[] = {
		{ "no file", -1, EBADF },
		{ "a number that no file has", 1000000, EBADF },
		{ "a closed file", closed, EBADF },
		{ "the path of a file", path, EBADF },
		{ "a memfd", memfd, EINVAL },
		{ "/dev/null", null, EINVAL },
		{ "/dev/kvm", vm.kvm_fd, EINVAL },
		{ "a VM", vm.fd, EINVAL },
		{ "a vCPU", vm.vcpu[0].fd, EINVAL },
		{ "another VM's file", others, EINVAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		region r = whole_file(cases[i].fd);

		refused(set2(&r), cases[i].err, fd, "%s", cases[i].name);
		/* KVM checks for an overlap before it looks at the file. */
		r.guest_phys_addr = 0;
		refused(set2(&r), EEXIST, fd, "%s, where there is memory", cases[i].name);
		/* KVM checks whether the address is possible after it looked at the file. */
		r.guest_phys_addr = 1UL << 52;
		refused(set2(&r), cases[i].err, fd, "%s, where no memory can be", cases[i].name);
	}

	close(path);
	close(null);
	close(memfd);
	close(others);
	close(fd);
}

static void test_no_flags_file(void)
{
	int fd = vmm_gmem(&vm, SIZE, 0), err;
	region r = whole_file(fd);

	/*
	 * Where KVM has guest_memfd of its own, the file is KVM's. From 6.18 on, KVM can bind it.
	 */
	err = set2(&r) ? errno : 0;
	if (vmm_gmem_is_ours() && err) {
		is(err, EINVAL, "a file without flags cannot be bound");
	} else {
		is(err, 0, "a file without flags can be bound");
		is(delete(SLOT), 0, "and unbound");
	}
	close(fd);
}

/* One legal request: the guest sees the file, and no other memory. */
static void check_bound(const region *r, int fd, uint64_t tag, const char *name)
{
	uint64_t *p = mmap(NULL, r->memory_size, PROT_READ, MAP_SHARED, fd, r->guest_memfd_offset);
	int n = r->memory_size / PAGE, wrong = 0, i;

	must(p != MAP_FAILED);
	if (!ok(!set2(r), "%s: bound", name)) {
		munmap(p, r->memory_size);
		return;
	}
	ok(guest_sees(&vm, r->guest_phys_addr, tag, n), "%s: the guest reads the file", name);
	ok(!vmm_write(&vm, 0, r->guest_phys_addr, n, 7), "%s: the guest writes", name);
	for (i = 0; i < n; i++)
		wrong += p[i * PAGE / sizeof(*p)] != 7;
	is(wrong, 0, "%s: the file has what the guest wrote", name);
	is(delete(r->slot), 0, "%s: deleted", name);
	munmap(p, r->memory_size);
}

static void check_userspace_addr(void *addr, const char *name)
{
	int fd = tagged_file(&vm, PAGES, 100);
	region r = whole_file(fd);

	r.userspace_addr = (uint64_t)addr;
	check_bound(&r, fd, 100, name);
	close(fd);
}

static void test_userspace_addr(void)
{
	int fd = tagged_file(&vm, PAGES, 100);
	void *file = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	uint64_t *unrelated = tagged_memory(PAGES, 300);
	region r = whole_file(fd);

	must(file != MAP_FAILED);
	r.userspace_addr = (uint64_t)file;
	check_bound(&r, fd, 100, "userspace_addr maps the file");

	check_userspace_addr(NULL, "userspace_addr is 0");
	check_userspace_addr(file, "userspace_addr maps another file");
	check_userspace_addr(unrelated, "userspace_addr maps unrelated memory");
	is(unrelated[0], 300, "the unrelated memory is left alone");
	munmap(unrelated, SIZE);
	check_userspace_addr((void *)0x7f0000000000, "userspace_addr maps nothing");
	check_userspace_addr((void *)(0x7ffffffff000 - SIZE),
			     "userspace_addr is the last possible");
	munmap(file, SIZE);
	close(fd);
}

/* KVM takes the size of its mapping from userspace_addr, unless it is kept from doing so. */
static void test_huge_page_elsewhere(void)
{
	const size_t size = 4 * MIB;
	char *memory = mmap((void *)(64 * GIB), size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	int fd = tagged_file(&vm, size / PAGE, 5000);
	region r = whole_file(fd);

	must(memory != MAP_FAILED && !madvise(memory, size, MADV_HUGEPAGE));
	memset(memory, 0x11, size);
	r.memory_size = size;
	r.userspace_addr = (uint64_t)memory;
	check_bound(&r, fd, 5000, "userspace_addr maps huge pages");
	ok(memory[0] == 0x11 && !memcmp(memory, memory + 1, size - 1),
	   "the huge pages are left alone");
	munmap(memory, size);
	close(fd);
}

static void test_legal(void)
{
	int fd = tagged_file(&vm, PAGES, 100), copy = dup(fd);
	region r = part_of_file(fd, 1, 3, 2, 4);

	check_bound(&r, fd, 102, "part of a file");
	close(fd);
	fd = tagged_file(&vm, PAGES, 100);
	r = part_of_file(fd, LAST_SLOT, 0, PAGES - 1, 1);
	check_bound(&r, fd, 100 + PAGES - 1, "the last page, in the last slot");
	close(copy);

	copy = dup(fd);
	r = part_of_file(copy, SLOT, 0, 0, 4);
	is(set2(&r), 0, "a duplicate of the descriptor can be bound");
	close(copy);
	ok(guest_sees(&vm, VMM_TEST_GPA, 100, 4),
	   "the duplicate can be closed, as the original is still open");
	is(delete(SLOT), 0, "deleted");
	close(fd);
}

/* All address spaces of a VM share one set of bindings. */
static void test_address_spaces(void)
{
	int fd = tagged_file(&vm, PAGES, 100);
	region r0 = part_of_file(fd, SLOT, 0, 0, 4);
	region r1 = part_of_file(fd, AS_ID(1) | SLOT, 0, 4, 4);

	is(set2(&r0), 0, "address space 0");
	is(set2(&r1), 0, "address space 1, with the same slot number and guest address");
	ok(guest_sees(&vm, VMM_TEST_GPA, 100, 4), "the guest sees address space 0");
	fails(set2(&r1), EINVAL, "a bound slot of address space 1 cannot be set again");
	r1.slot++;
	r1.guest_phys_addr += SIZE;
	fails(set2(&r1), EEXIST, "its range is bound");
	r1.guest_memfd_offset = PAGE;
	fails(set2(&r1), EEXIST, "so is a range that is bound in both address spaces");
	r1.guest_memfd_offset = 0;
	fails(set2(&r1), EEXIST, "so is the range that is bound in address space 0");
	is(delete(SLOT), 0, "address space 0 deleted");
	is(set2(&r1), 0, "the range that it had is bound in address space 1");
	fails(delete(SLOT), EINVAL, "address space 0 has no such slot");
	is(delete(AS_ID(1) | SLOT), 0, "address space 1 deleted");
	is(delete(AS_ID(1) | (SLOT + 1)), 0, "its other slot, too");
	ok(unbound(fd), "nothing is bound");
	close(fd);
}

static void test_bound_twice(void)
{
	static const struct {
		int page, pages, err;
		const char *name;
	} cases[] = {
		{ 2, 3, EEXIST, "the same range" },
		{ 3, 1, EEXIST, "a part of it" },
		{ 0, 8, EEXIST, "more than it" },
		{ 0, 3, EEXIST, "its first page" },
		{ 4, 4, EEXIST, "its last page" },
		{ 2, 1, EEXIST, "just its first page" },
		{ 4, 1, EEXIST, "just its last page" },
		{ 0, 2, 0, "up to it" },
		{ 5, 3, 0, "from it on" },
	};
	int fd = tagged_file(&vm, PAGES, 100);
	region r = part_of_file(fd, SLOT, 0, 2, 3);
	size_t i;

	must(!set2(&r));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		r = part_of_file(fd, SLOT + 1, 16, cases[i].page, cases[i].pages);
		is(set2(&r) ? errno : 0, cases[i].err, "binding again: %s", cases[i].name);
		ok(guest_sees(&vm, VMM_TEST_GPA, 102, 3), "binding again: the first one stays");
		if (cases[i].err)
			fails(delete(SLOT + 1), EINVAL, "binding again: there is no second one");
		else
			is(delete(SLOT + 1), 0, "binding again: the second one goes");
	}
	is(delete(SLOT), 0, "binding again: the first one goes");
	ok(unbound(fd), "binding again: nothing is bound");
	close(fd);
}

static void test_guest_overlap(void)
{
	int fd = tagged_file(&vm, PAGES, 100), free_fd = tagged_file(&vm, PAGES, 200), gpa;
	void *memory = tagged_memory(PAGES, 300);
	region bound = part_of_file(fd, SLOT, 8, 0, PAGES), r;

	must(!set2(&bound));
	for (gpa = 1; gpa < 16; gpa += 7) {
		r = part_of_file(free_fd, SLOT + 1, gpa, 0, PAGES);
		refused(set2(&r), EEXIST, free_fd, "guest addresses of a bound slot, from %d", gpa);
		r.flags = 0;
		r.userspace_addr = (uint64_t)memory;
		fails(set1(&r), EEXIST, "the same for ordinary memory");
	}
	r.guest_phys_addr = VMM_TEST_GPA;
	is(set1(&r), 0, "ordinary memory up to a bound slot");
	r.guest_phys_addr += PAGE;
	fails(set1(&r), EEXIST, "ordinary memory cannot be moved into a bound slot");
	ok(guest_sees(&vm, VMM_TEST_GPA, 300, PAGES) &&
	   guest_sees(&vm, VMM_TEST_GPA + SIZE, 100, PAGES), "the guest sees both slots");
	r = part_of_file(free_fd, SLOT + 2, 7, 0, 2);
	refused(set2(&r), EEXIST, free_fd, "guest addresses of both");
	is(delete(SLOT + 1), 0, "the ordinary memory goes");
	is(delete(SLOT), 0, "the bound slot goes");
	munmap(memory, SIZE);
	close(free_fd);
	close(fd);
}

/* Each region is added to the request that created the slot. */
static const region changes[] = {
	{},
	{ .guest_phys_addr = PAGE },
	{ .guest_phys_addr = SIZE },
	{ .memory_size = -PAGE },
	{ .memory_size = PAGE },
	{ .userspace_addr = PAGE },
	{ .guest_memfd_offset = PAGE },
	{ .guest_memfd_offset = PAGE, .memory_size = -PAGE },
	{ .guest_memfd = 1000 },
	{ .flags = KVM_MEM_LOG_DIRTY_PAGES },
	{ .flags = KVM_MEM_READONLY },
	{ .flags = KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY },
	{ .flags = KVM_MEM_LOG_DIRTY_PAGES, .guest_phys_addr = SIZE },
	{ .flags = 1U << 31 },
	{ .flags = 1U << 16 },
};

static void check_changes(const region *bound, uint64_t tag, const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(changes); i++) {
		region r = sum_of(*bound, &changes[i]);

		fails(set2(&r), EINVAL, "%s: change %zu", name, i);
		fails(set1(&r), EINVAL, "%s: change %zu, old ioctl", name, i);
		r.flags &= ~KVM_MEM_GUEST_MEMFD;
		fails(set2(&r), EINVAL, "%s: change %zu, flag cleared", name, i);
		fails(set1(&r), EINVAL, "%s: change %zu, flag cleared, old ioctl", name, i);
		if (tag)
			ok(guest_sees(&vm, bound->guest_phys_addr, tag, PAGES),
			   "%s: change %zu: the guest sees what it saw", name, i);
	}
}

static void test_changes(void)
{
	void *memory = tagged_memory(PAGES, 300);
	int fd = tagged_file(&vm, PAGES, 100);
	region r = whole_file(fd);

	must(!set2(&r));
	check_changes(&r, 100, "bound");
	must(!delete(SLOT));

	r.userspace_addr = (uint64_t)memory;
	must(!set2(&r));
	check_changes(&r, 100, "bound, with other memory at userspace_addr");
	vmm_punch(fd, 0, SIZE);
	ok(guest_sees(&vm, VMM_TEST_GPA, 0, 1), "a hole still reaches the guest");

	close(fd);
	check_changes(&r, 0, "bound, the file closed");
	is(delete(SLOT), 0, "bound, the file closed: deleted");
	fails(delete(SLOT), EINVAL, "bound, the file closed: deleted once");
	munmap(memory, SIZE);
}

static void test_delete(void)
{
	static const struct {
		const char *name;
		int (*set)(const region *r);
		int err;
		region r;
	} cases[] = {
		{ "old ioctl", set1, 0, {} },
		{ "old ioctl, with the flag", set1, EINVAL, { .flags = KVM_MEM_GUEST_MEMFD } },
		{ "old ioctl, with dirty logging", set1, 0, { .flags = KVM_MEM_LOG_DIRTY_PAGES } },
		{ "old ioctl, read-only", set1, 0, { .flags = KVM_MEM_READONLY } },
		{ "new ioctl", set2, 0, {} },
		{ "new ioctl, with the flag", set2, 0, { .flags = KVM_MEM_GUEST_MEMFD } },
		{ "with the flag, and no file", set2, 0,
		  { .flags = KVM_MEM_GUEST_MEMFD, .guest_memfd = -1 } },
		{ "with the flag, and an offset", set2, 0,
		  { .flags = KVM_MEM_GUEST_MEMFD, .guest_memfd_offset = 100 * PAGE } },
		{ "with the flag, and an unaligned offset", set2, EINVAL,
		  { .flags = KVM_MEM_GUEST_MEMFD, .guest_memfd_offset = 1 } },
		{ "without the flag, and an unaligned offset", set2, 0,
		  { .guest_memfd_offset = 1 } },
		{ "with the flag, and dirty logging", set2, EINVAL,
		  { .flags = KVM_MEM_GUEST_MEMFD | KVM_MEM_LOG_DIRTY_PAGES } },
		{ "with the flag, and read-only", set2, EINVAL,
		  { .flags = KVM_MEM_GUEST_MEMFD | KVM_MEM_READONLY } },
		{ "with dirty logging", set2, 0, { .flags = KVM_MEM_LOG_DIRTY_PAGES } },
		{ "with an unknown flag", set2, EINVAL, { .flags = 1U << 31 } },
		{ "with other addresses", set2, 0,
		  { .guest_phys_addr = SIZE, .userspace_addr = SIZE } },
		{ "with an unaligned address", set2, EINVAL, { .guest_phys_addr = 1 } },
		{ "with an address in the kernel", set2, EINVAL, { .userspace_addr = -PAGE } },
	};
	int fd = tagged_file(&vm, PAGES, 100);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		region bound = whole_file(fd), r = cases[i].r;
		int err;

		r.slot = SLOT;
		must(!set2(&bound));
		err = 0;
		if (cases[i].set(&r))
			err = errno;
		is(err, cases[i].err, "deleting: %s", cases[i].name);
		if (cases[i].err) {
			ok(guest_sees(&vm, VMM_TEST_GPA, 100, PAGES),
			   "deleting: it is still there");
			is(delete(SLOT), 0, "deleting: it can be deleted");
		}
		fails(delete(SLOT), EINVAL, "deleting: twice");
		fails(cases[i].set(&r), EINVAL, "deleting: twice in the same way");
		ok(unbound(fd), "deleting: nothing is bound");
	}
	close(fd);
}

static uint64_t dirty_pages(struct vmm *of, uint32_t slot)
{
	uint64_t bitmap[2] = {};
	struct kvm_dirty_log log = { .slot = slot, .dirty_bitmap = bitmap };

	must(!ioctl(of->fd, KVM_GET_DIRTY_LOG, &log));
	return bitmap[0];
}

/* Everything that an ordinary slot can do. */
static bool ordinary_works(struct vmm *of)
{
	void *memory = tagged_memory(PAGES, 300);
	const uint64_t gpa = VMM_TEST_GPA + 8 * MIB;
	const uint32_t slot = 42;

#define ORDINARY(flags, addr) vmm_slot(of, slot, flags, addr, SIZE, memory, -1, 0)
	bool good = !ORDINARY(0, gpa) && guest_sees(of, gpa, 300, PAGES) && !ORDINARY(0, gpa) &&
		    !ORDINARY(KVM_MEM_LOG_DIRTY_PAGES, gpa) && !dirty_pages(of, slot) &&
		    !vmm_write(of, 0, gpa + 2 * PAGE, 3, 1) && dirty_pages(of, slot) == 7 << 2 &&
		    !dirty_pages(of, slot) && !vmm_write(of, 0, gpa, 1, 1) &&
		    dirty_pages(of, slot) == 1 && !ORDINARY(0, gpa) &&
		    !vmm_write(of, 0, gpa, PAGES, 0);

	tag_pages(memory, PAGES, 300);
	good = good && !ORDINARY(0, gpa + MIB) && guest_sees(of, gpa + MIB, 300, PAGES) &&
	       ORDINARY(KVM_MEM_READONLY, gpa + MIB) == -1 && !vmm_delete_slot(of, slot) &&
	       vmm_delete_slot(of, slot) == -1 && !ORDINARY(KVM_MEM_READONLY, gpa) &&
	       guest_sees(of, gpa, 300, PAGES) && !vmm_delete_slot(of, slot);
	munmap(memory, SIZE);
	return good;
}

static void test_ordinary(void)
{
	int fd = tagged_file(&vm, PAGES, 100);
	region r = whole_file(fd);

	ok(ordinary_works(&vm), "ordinary slots work before a slot is bound");
	must(!set2(&r));
	ok(ordinary_works(&vm), "ordinary slots work next to a bound one");
	ok(ordinary_works(&other_vm), "ordinary slots of another VM work");
	ok(guest_sees(&vm, VMM_TEST_GPA, 100, PAGES), "the bound one is still there");
	must(!delete(SLOT));
	ok(ordinary_works(&vm), "ordinary slots work after a slot was bound");
	close(fd);
}

static void test_ordinary_into_bound(void)
{
	static const region add[] = {
		{ .flags = KVM_MEM_GUEST_MEMFD },
		{ .flags = KVM_MEM_GUEST_MEMFD, .guest_phys_addr = SIZE },
		{ .flags = KVM_MEM_GUEST_MEMFD, .memory_size = -PAGE },
		{ .flags = KVM_MEM_GUEST_MEMFD | KVM_MEM_LOG_DIRTY_PAGES },
		{ .flags = KVM_MEM_GUEST_MEMFD | KVM_MEM_READONLY },
	};
	void *memory = tagged_memory(PAGES, 300);
	int fd = tagged_file(&vm, PAGES, 100);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(add); i++) {
		region ordinary = whole_file(fd), r;

		ordinary.flags = 0;
		ordinary.userspace_addr = (uint64_t)memory;
		must(!set2(&ordinary));
		r = sum_of(ordinary, &add[i]);
		fails(set2(&r), EINVAL, "ordinary memory cannot become bound, way %zu", i);
		ok(guest_sees(&vm, VMM_TEST_GPA, 300, PAGES) && unbound(fd),
		   "and is as it was, way %zu", i);
		is(delete(SLOT), 0, "and can be deleted, way %zu", i);
	}
	munmap(memory, SIZE);
	close(fd);
}

/* A bound slot has neither a dirty log nor memory attributes. */
static void test_other_ioctls(void)
{
	uint64_t bitmap[2] = {};
	struct kvm_dirty_log log = { .slot = SLOT, .dirty_bitmap = bitmap };
	struct kvm_clear_dirty_log clear = { .slot = SLOT, .num_pages = PAGES,
					     .dirty_bitmap = bitmap };
	struct kvm_memory_attributes attributes = { .address = VMM_TEST_GPA, .size = SIZE };
	int fd = tagged_file(&vm, PAGES, 100);
	region r = whole_file(fd);

	must(!set2(&r));
	fails(ioctl(vm.fd, KVM_GET_DIRTY_LOG, &log), ENOENT, "KVM_GET_DIRTY_LOG");
	fails(ioctl(vm.fd, KVM_CLEAR_DIRTY_LOG, &clear), ENOENT, "KVM_CLEAR_DIRTY_LOG");
	is(vmm_cap(vm.fd, KVM_CAP_MEMORY_ATTRIBUTES), 0, "there are no memory attributes");
	if (ioctl(vm.fd, KVM_SET_MEMORY_ATTRIBUTES, &attributes) && errno == ENOTTY) {
		tap_skip("a KVM without memory attributes", "none can be set");
	} else {
		is(ioctl(vm.fd, KVM_SET_MEMORY_ATTRIBUTES, &attributes), 0, "none can be set");
		attributes.attributes = KVM_MEMORY_ATTRIBUTE_PRIVATE;
		fails(ioctl(vm.fd, KVM_SET_MEMORY_ATTRIBUTES, &attributes), EINVAL,
		      "memory cannot be made private");
	}
	ok(guest_sees(&vm, VMM_TEST_GPA, 100, PAGES), "the slot is as it was");
	must(!delete(SLOT));
	close(fd);
}

static uint64_t random_state = 1;

static unsigned int random_below(unsigned int n)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (random_state >> 33) % n;
}

static void shuffle(int *order, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		int j = random_below(i + 1);

		order[i] = order[j];
		order[j] = i;
	}
}

static void test_many_slots(void)
{
	enum { N = 400 };
	int fd = tagged_file(&vm, N, 1000), place[N], order[N], bad = 0, i;
	region r;

	shuffle(place, N);
	shuffle(order, N);
	for (i = 0; i < N; i++) {
		r = part_of_file(fd, SLOT + i, place[i], i, 1);
		bad += set2(&r) != 0;
	}
	is(bad, 0, "%d slots, each with one page of a file", N);
	for (i = 0; i < N; i++)
		bad += !guest_sees(&vm, VMM_TEST_GPA + place[i] * PAGE, 1000 + i, 1);
	is(bad, 0, "the guest sees each where it is");

	for (i = 0; i < N; i++) {
		bad += delete(SLOT + order[i]) != 0;
		if (i % 16)
			continue;
		r = part_of_file(fd, SPARE_SLOT, N, order[i], 1);
		r.slot = SLOT + N;
		bad += set2(&r) || delete(SLOT + N);
		if (i + 1 == N)
			continue;
		r = part_of_file(fd, SLOT + N, N, order[i + 1], 1);
		bad += !set2(&r) || errno != EEXIST;
		bad += !guest_sees(&vm, VMM_TEST_GPA + place[order[i + 1]] * PAGE,
				   1000 + order[i + 1], 1);
	}
	is(bad, 0, "deleted in another order, each frees its page and no other");
	r = part_of_file(fd, SLOT, 0, 0, N);
	is(set2(&r), 0, "the whole file can be bound again");
	ok(guest_sees(&vm, VMM_TEST_GPA, 1000, N), "the guest sees it");
	must(!delete(SLOT));
	close(fd);
}

/*
 * Random requests, and a model that predicts their results. The model has the rules, and the order
 * in which KVM checks them, as user space can observe them.
 */
enum {
	M_VMS = 2,
	M_FILES = 2,	/* of each VM */
	M_FILE_PAGES = 8,
	M_SPACES = 2,
	M_SLOTS = 5,
	M_GPAS = 16,
	M_MAX_PAGES = 4,
	M_STEPS = 2500,
};

struct model_file {
	int fd;
	uint64_t tag;
};

struct model_slot {
	int pages;		/* 0: there is no such slot */
	int gpa;
	uint32_t flags;
	int memory;
	struct model_file *file;	/* NULL: an ordinary slot, or the file was closed */
	int file_page;
};

static struct model_vm {
	struct vmm *vmm;
	struct model_file file[M_FILES];
	struct model_slot slot[M_SPACES][M_SLOTS];
} model[M_VMS];

static struct {
	void *addr;
	uint64_t tag;
} model_memory[3];

struct model_request {
	struct model_vm *vm;
	bool old_ioctl;
	int space, id, gpa, pages, memory, file_page;
	uint32_t flags;
	struct model_file *file;	/* NULL: no file */
	bool unaligned;
};

static bool model_overlap(int a, int a_pages, int b, int b_pages)
{
	return a < b + b_pages && b < a + a_pages;
}

static bool model_gpa_taken(const struct model_request *q)
{
	int id;

	for (id = 0; id < M_SLOTS; id++) {
		const struct model_slot *s = &q->vm->slot[q->space][id];

		if (id != q->id && s->pages && model_overlap(s->gpa, s->pages, q->gpa, q->pages))
			return true;
	}
	return false;
}

static bool model_range_bound(const struct model_request *q)
{
	int space, id;

	for (space = 0; space < M_SPACES; space++) {
		for (id = 0; id < M_SLOTS; id++) {
			const struct model_slot *s = &q->vm->slot[space][id];

			if (s->pages && s->file == q->file &&
			    model_overlap(s->file_page, s->pages, q->file_page, q->pages))
				return true;
		}
	}
	return false;
}

static int model_file_error(const struct model_request *q)
{
	if (!q->file)
		return EBADF;
	if (q->file < q->vm->file || q->file >= q->vm->file + M_FILES)
		return EINVAL;
	if (q->file_page + q->pages > M_FILE_PAGES)
		return EINVAL;
	return model_range_bound(q) ? EEXIST : 0;
}

static int model_error(const struct model_request *q)
{
	const struct model_slot *old = &q->vm->slot[q->space][q->id];
	bool bind = q->flags & KVM_MEM_GUEST_MEMFD;

	if (bind && (q->old_ioctl || q->flags != KVM_MEM_GUEST_MEMFD || q->unaligned))
		return EINVAL;
	if (!q->pages)
		return old->pages ? 0 : EINVAL;
	if (old->pages) {
		if (bind || (old->flags & KVM_MEM_GUEST_MEMFD) || old->pages != q->pages ||
		    old->memory != q->memory || ((old->flags ^ q->flags) & KVM_MEM_READONLY))
			return EINVAL;
		return model_gpa_taken(q) ? EEXIST : 0;
	}
	if (model_gpa_taken(q))
		return EEXIST;
	return bind ? model_file_error(q) : 0;
}

static void model_apply(const struct model_request *q)
{
	q->vm->slot[q->space][q->id] = (struct model_slot){
		.pages = q->pages,
		.gpa = q->gpa,
		.flags = q->flags,
		.memory = q->memory,
		.file = q->flags & KVM_MEM_GUEST_MEMFD ? q->file : NULL,
		.file_page = q->file_page,
	};
}

static int model_send(const struct model_request *q)
{
	region r = {
		.slot = AS_ID(q->space) | (q->id + 1),
		.flags = q->flags,
		.guest_phys_addr = VMM_TEST_GPA + q->gpa * PAGE,
		.memory_size = q->pages * PAGE,
		.userspace_addr = (uint64_t)model_memory[q->memory].addr,
		.guest_memfd = q->file ? q->file->fd : -1,
		.guest_memfd_offset = q->file_page * PAGE + q->unaligned,
	};

	return ioctl(q->vm->vmm->fd,
		     q->old_ioctl ? KVM_SET_USER_MEMORY_REGION : KVM_SET_USER_MEMORY_REGION2, &r);
}

static struct model_request model_random(void)
{
	static const uint32_t flags[] = {
		KVM_MEM_GUEST_MEMFD, KVM_MEM_GUEST_MEMFD, KVM_MEM_GUEST_MEMFD, KVM_MEM_GUEST_MEMFD,
		KVM_MEM_GUEST_MEMFD, KVM_MEM_GUEST_MEMFD | KVM_MEM_READONLY,
		KVM_MEM_GUEST_MEMFD | KVM_MEM_LOG_DIRTY_PAGES, 0, 0, KVM_MEM_LOG_DIRTY_PAGES,
		KVM_MEM_READONLY,
	};
	struct model_request q = {
		.vm = &model[random_below(M_VMS)],
		.old_ioctl = !random_below(4),
		.space = !random_below(4),
		.id = random_below(M_SLOTS),
		.gpa = random_below(M_GPAS),
		.pages = random_below(M_MAX_PAGES + 1),
		.memory = random_below(3),
		.file_page = random_below(M_FILE_PAGES),
		.flags = flags[random_below(ARRAY_SIZE(flags))],
		.unaligned = !random_below(20),
	};
	const struct model_slot *s = &q.vm->slot[q.space][q.id];
	struct model_vm *of = random_below(12) ? q.vm : &model[random_below(M_VMS)];

	q.file = random_below(30) ? &of->file[random_below(M_FILES)] : NULL;

	/* A request that changes only one property is the most likely to succeed. */
	if (s->pages && random_below(2)) {
		q.pages = random_below(3) ? s->pages : 0;
		q.memory = s->memory;
		if (random_below(2))
			q.gpa = s->gpa;
		if (random_below(2))
			q.flags = s->flags;
	}
	return q;
}

static void model_open_file(struct model_vm *mvm, struct model_file *file)
{
	static uint64_t tag = 10000;

	tag += 1000;
	file->tag = tag;
	file->fd = tagged_file(mvm->vmm, M_FILE_PAGES, tag);
}

/* Slots that are bound to the file stay, but have no file any more. */
static void model_replace_file(struct model_vm *mvm, struct model_file *file)
{
	int space, id;

	close(file->fd);
	for (space = 0; space < M_SPACES; space++) {
		for (id = 0; id < M_SLOTS; id++) {
			if (mvm->slot[space][id].file == file)
				mvm->slot[space][id].file = NULL;
		}
	}
	model_open_file(mvm, file);
}

static bool model_slot_as_seen(struct model_vm *mvm, const struct model_slot *s)
{
	uint64_t gpa = VMM_TEST_GPA + s->gpa * PAGE, sum;

	if (s->file)
		return guest_sees(mvm->vmm, gpa, s->file->tag + s->file_page, s->pages);
	if (s->flags & KVM_MEM_GUEST_MEMFD)
		return vmm_sum(mvm->vmm, 0, gpa, s->pages, &sum) == -1 && errno == EFAULT &&
		       mvm->vmm->vcpu[0].run->exit_reason == KVM_EXIT_MEMORY_FAULT;
	if (model_memory[s->memory].addr)
		return guest_sees(mvm->vmm, gpa, model_memory[s->memory].tag, s->pages);
	return true;
}

/* The number of slots that the guest does not see as the model does. Address space 1 is for SMM. */
static int model_check(void)
{
	int bad = 0, i, id;

	for (i = 0; i < M_VMS; i++) {
		for (id = 0; id < M_SLOTS; id++) {
			const struct model_slot *s = &model[i].slot[0][id];

			bad += s->pages && !model_slot_as_seen(&model[i], s);
		}
	}
	return bad;
}

static int model_step(int step, int *passed)
{
	struct model_request q = model_random();
	int want = model_error(&q), got = model_send(&q) ? errno : 0;

	if (!got)
		passed[!!(q.flags & KVM_MEM_GUEST_MEMFD)]++;
	if (!want)
		model_apply(&q);
	if (got == want)
		return 0;
	printf("#   step %d: vm %ld slot %d:%d%s flags %u gpa %d pages %d file %p page %d: ", step,
	       (long)(q.vm - model), q.space, q.id, q.old_ioctl ? " (old)" : "", q.flags, q.gpa,
	       q.pages, (void *)q.file, q.file_page);
	printf("got %d, want %d\n", got, want);
	return 1;
}

static void model_delete_all(void)
{
	int i, space, id, bad = 0;

	for (i = 0; i < M_VMS; i++) {
		for (space = 0; space < M_SPACES; space++) {
			for (id = 0; id < M_SLOTS; id++) {
				int r = vmm_delete_slot(model[i].vmm, AS_ID(space) | (id + 1));

				bad += (r == 0) != (model[i].slot[space][id].pages != 0);
			}
		}
		for (id = 0; id < M_FILES; id++)
			close(model[i].file[id].fd);
	}
	is(bad, 0, "random requests: the slots at the end are those that should be");
}

static void test_random(void)
{
	int passed[2] = {}, wrong = 0, unseen = 0, i, j;

	model[0].vmm = &vm;
	model[1].vmm = &other_vm;
	for (i = 0; i < M_VMS; i++) {
		for (j = 0; j < M_FILES; j++)
			model_open_file(&model[i], &model[i].file[j]);
	}
	for (i = 1; i < 3; i++) {
		model_memory[i].tag = i * 1000;
		model_memory[i].addr = tagged_memory(M_MAX_PAGES, i * 1000);
	}

	for (i = 0; i < M_STEPS && wrong < 5 && unseen < 5; i++) {
		wrong += model_step(i, passed);
		if (!random_below(60)) {
			struct model_vm *mvm = &model[random_below(M_VMS)];

			model_replace_file(mvm, &mvm->file[random_below(M_FILES)]);
		}
		if (i % 10 == 9)
			unseen += model_check();
	}
	is(i, M_STEPS, "random requests: all were made");
	is(wrong, 0, "random requests: each was answered as it should be");
	is(unseen, 0, "random requests: the guest saw what it should see");
	printf("# %d requests for ordinary slots and deletions passed, %d with the flag\n",
	       passed[0], passed[1]);
	ok(passed[0] > 100 && passed[1] > 100, "random requests: enough of them passed");
	model_delete_all();
	for (i = 1; i < 3; i++)
		munmap(model_memory[i].addr, M_MAX_PAGES * PAGE);
}

/*
 * A VM belongs to the process that created it. Another process that has only the VM's descriptor
 * can do nothing with it.
 */
static void test_other_process(void)
{
	int fd = tagged_file(&vm, PAGES, 100), status;
	pid_t pid = fork();

	must(pid >= 0);
	if (!pid) {
		region r = whole_file(fd);
		int bad = 0;

		bad += vmm_gmem_try(&vm, SIZE, VMM_GMEM_BOTH) != -1 || errno != EIO;
		bad += set2(&r) != -1 || errno != EIO;
		bad += vmm_delete_slot(&vm, VMM_CTRL_SLOT) != -1 || errno != EIO;
		_exit(bad);
	}
	must(waitpid(pid, &status, 0) == pid);
	is(status, 0, "another process can neither create a file nor bind or delete a slot");
	close(fd);
}

static void *allocate_all(void *arg)
{
	const int *fd = arg;

	must(!fallocate(*fd, FALLOC_FL_KEEP_SIZE, 0, LARGE));
	return NULL;
}

/* Binding holds VM locks that other tasks wait for, so it must not wait for fallocate(). */
static void test_bound_beside_fallocate(void)
{
	unsigned char there = 0;
	unsigned long n;
	pthread_t thread;
	bool first;
	char *p;
	int fd;

	if (!vmm_gmem_is_ours()) {
		tap_skip("native fallocate() has to be waited for", "a slot is bound meanwhile");
		return;
	}
	fd = vmm_gmem(&vm, LARGE, VMM_GMEM_BOTH);
	p = vmm_map(fd, LARGE);
	must(!pthread_create(&thread, NULL, allocate_all, &fd));
	while (!(there & 1))
		must(!mincore(p + MIB, PAGE, &there));
	must(!vmm_slot(&vm, VMM_TEST_SLOT, KVM_MEM_GUEST_MEMFD, VMM_TEST_GPA, SIZE, NULL, fd, 0));
	n = pages_present(p, LARGE / PAGE, &first);
	must(!pthread_join(thread, NULL));
	ok(n < LARGE / PAGE, "a slot is bound while fallocate() goes on (%lu pages of %lu)", n,
	   LARGE / PAGE);
	must(!vmm_delete_slot(&vm, VMM_TEST_SLOT));
	munmap(p, LARGE);
	close(fd);
}

/* Creates as many mappings as a process may have: every other page has another protection. */
static char *all_mappings(size_t *size)
{
	unsigned long n, i;
	FILE *f = fopen("/proc/sys/vm/max_map_count", "r");
	char *p;

	must(f && fscanf(f, "%lu", &n) == 1);
	fclose(f);
	*size = 2 * n * PAGE;
	p = mmap(NULL, *size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	must(p != MAP_FAILED);
	for (i = 0; i < n; i++) {
		if (mprotect(p + 2 * i * PAGE, PAGE, PROT_READ))
			break;
	}
	must(i < n && errno == ENOMEM);
	/* Fewer mappings are left than splitting one needs; use them up, too. */
	while (mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
		;
	must(errno == ENOMEM);
	return p;
}

/* A VMM that has reached its limit of mappings, as large VMMs do. */
static void test_no_room(void)
{
	int fd, bound, deleted;
	struct vmm full;
	size_t size;
	char *p;

	vmm_create(&full, 0);
	fd = vmm_gmem(&full, SIZE, VMM_GMEM_BOTH);
	p = all_mappings(&size);
	/* From here until munmap(), do nothing that could need a mapping. */
	bound = vmm_slot(&full, VMM_TEST_SLOT, KVM_MEM_GUEST_MEMFD, VMM_TEST_GPA, SIZE, NULL, fd, 0);
	deleted = vmm_slot(&full, VMM_TEST_SLOT, KVM_MEM_GUEST_MEMFD, VMM_TEST_GPA, 0, NULL, fd, 0);
	munmap(p, size);
	is(bound, 0, "vm.max_map_count reached: a slot is bound");
	is(deleted, 0, "vm.max_map_count reached: and deleted");
	close(fd);
	vmm_destroy(&full);
}

int main(void)
{
	vmm_create(&vm, 1);
	vmm_create(&other_vm, 1);

	test_hostile();
	test_hostile_files();
	test_no_flags_file();
	test_userspace_addr();
	test_huge_page_elsewhere();
	test_legal();
	test_address_spaces();
	test_bound_twice();
	test_guest_overlap();
	test_changes();
	test_delete();
	test_ordinary();
	test_ordinary_into_bound();
	test_other_ioctls();
	test_other_process();
	test_many_slots();
	test_random();
	test_bound_beside_fallocate();
	/* This test comes last, because it leaves mappings behind. */
	tap_in_child(test_no_room);

	vmm_destroy(&other_vm);
	vmm_destroy(&vm);
	return tap_exit();
}
