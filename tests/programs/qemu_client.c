// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls that QEMU makes for a SEV-SNP guest, in its order, from the creation of the VM to its
 * end. They follow QEMU 10.0; its reset is that of 11.0, the first release that can reset such a
 * guest.
 *
 * The functions have the names of those in QEMU whose calls they make.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <numa.h>
#include <sys/mman.h>
#include <unistd.h>

#include "numa.h"
#include "placed.h"
#include "private.h"
#include "tap.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* A RAM block: memory of the shared half at host, private memory in guest_memfd. */
struct block {
	const char *name;
	uint64_t size;
	bool memfd;		/* memory-backend-memfd, otherwise memory-backend-ram */
	int policy;
	unsigned long host_nodes;
	int fd, guest_memfd;
	char *host;
};

/* -object memory-backend-...,policy=...,host-nodes=..., and what the machine itself adds. */
static struct block
	ram0 = { "memfd, bind to 0", 24 * MIB, true, MPOL_BIND, NODE(0) },
	ram1 = { "memfd, bind to 1", 16 * MIB, true, MPOL_BIND, NODE(1) },
	ram2 = { "memfd, interleave", 12 * MIB, true, MPOL_INTERLEAVE, BOTH_NODES },
	ram3 = { "anonymous, interleave", 12 * MIB, false, MPOL_INTERLEAVE, BOTH_NODES },
	ram4 = { "memfd, preferred 1", 8 * MIB, true, MPOL_PREFERRED, NODE(1) },
	ram5 = { "anonymous, bind to 1", 8 * MIB, false, MPOL_BIND, NODE(1) },
	dimm1 = { "hotplugged, bind to 1", 16 * MIB, true, MPOL_BIND, NODE(1) },
	dimm0 = { "plugged in its place, bind to 0", 16 * MIB, true, MPOL_BIND, NODE(0) },
	bios = { "pc.bios", 256 * 1024, false, MPOL_DEFAULT, 0 },
	rom = { "pc.rom", 128 * 1024, false, MPOL_DEFAULT, 0 };

static struct block *const machine[] = { &ram0, &ram1, &ram2, &ram3, &ram4, &ram5, &bios, &rom };

/* The guest's page tables are below, in an ordinary memslot. */
#define LOW_RAM 0x80000UL
#define VIDEO_RAM 0xa0000UL
#define OPTION_ROM 0xc0000UL
#define OPTION_ROM_END 0xe0000UL
#define BIOS_GPA (4 * GIB - bios.size)
#define BELOW_4G (32 * MIB)	/* the end of memory below 4 GiB, which is in the middle of ram1 */
#define RAM3_GPA (4 * GIB + 20 * MIB)
#define DIMM_GPA (4 * GIB + 512 * MIB)

static struct vmm vm;
static struct slot {
	struct block *block;
	uint64_t gpa, size, offset;
} slots[16];

/* ram_block_add(), and what host_memory_backend_memory_complete() does then. */
static void create_guest_memfd(struct block *b)
{
	b->guest_memfd = vmm_gmem(&vm, b->size, 0);
}

static int numa_mode(const struct block *b)
{
	bool many = b->policy == MPOL_PREFERRED && numa_has_preferred_many() > 0;

	return many ? MPOL_PREFERRED_MANY : b->policy;
}

static void memory_backend(struct block *b)
{
	int flags = MAP_SHARED;

	b->fd = -1;
	if (b->memfd) {
		b->fd = memfd_create("memory-backend-memfd", MFD_CLOEXEC);
		must(b->fd >= 0 && !ftruncate(b->fd, b->size));
	}
	if (!b->memfd)
		flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	b->host = mmap(NULL, b->size, PROT_READ | PROT_WRITE, flags, b->fd, 0);
	must(b->host != MAP_FAILED);
	create_guest_memfd(b);
	madvise(b->host, b->size, MADV_HUGEPAGE);
	must(!madvise(b->host, b->size, MADV_DONTFORK));
	if (b->host_nodes)
		must(!mbind(b->host, b->size, numa_mode(b), &b->host_nodes,
			    8 * sizeof(b->host_nodes), MPOL_MF_STRICT | MPOL_MF_MOVE));
}

static void memory_backend_gone(struct block *b)
{
	must(!munmap(b->host, b->size));
	close(b->guest_memfd);
	close(b->fd);
}

/* kvm_set_phys_mem() */
static void region_add(struct block *b, uint64_t gpa, uint64_t size, uint64_t offset)
{
	size_t i = 0;

	while (slots[i].block)
		must(++i < ARRAY_SIZE(slots));
	private_slot(&vm, VMM_TEST_SLOT + i, gpa, size, b->host + offset, b->guest_memfd, offset);
	slots[i] = (struct slot){ b, gpa, size, offset };
	private_set(&vm, gpa, size, true);
}

static void region_del(uint64_t gpa)
{
	size_t i = 0;

	while (!slots[i].block || slots[i].gpa != gpa)
		must(++i < ARRAY_SIZE(slots));
	must(!vmm_delete_slot(&vm, VMM_TEST_SLOT + i));
	slots[i].block = NULL;
}

/*
 * QEMU makes the memory below 4 GiB one slot first. What the machine lays over it, when it is
 * created, makes several of it, all in the same file.
 */
static void pc_memory_init(void)
{
	uint64_t gpa = 4 * GIB;

	region_add(&ram0, LOW_RAM, ram0.size - LOW_RAM, LOW_RAM);
	region_add(&ram1, ram0.size, BELOW_4G - ram0.size, 0);
	region_add(&ram1, gpa, ram1.size - (BELOW_4G - ram0.size), BELOW_4G - ram0.size);
	gpa += ram1.size - (BELOW_4G - ram0.size);
	region_add(&ram2, gpa, ram2.size, 0);
	gpa += ram2.size;
	region_add(&ram3, gpa, ram3.size, 0);
	gpa += ram3.size;
	region_add(&ram4, gpa, ram4.size, 0);
	gpa += ram4.size;
	region_add(&ram5, gpa, ram5.size, 0);
	region_add(&bios, BIOS_GPA, bios.size, 0);

	region_del(LOW_RAM);
	region_add(&ram0, LOW_RAM, VIDEO_RAM - LOW_RAM, LOW_RAM);
	region_add(&rom, OPTION_ROM, rom.size, 0);
	region_add(&ram0, OPTION_ROM_END, ram0.size - OPTION_ROM_END, OPTION_ROM_END);
}

/*
 * sev_snp_launch_update(): pages of the firmware, of secrets and of CPUID, and pages of zeroes. A
 * kernel that cannot fill private memory has these pages as well.
 */
static void snp_launch_update(uint64_t gpa, uint64_t size, const char *contents)
{
	bool can_populate = private_can_populate();
	uint64_t done = 0;

	private_set(&vm, gpa, size, true);
	for (; !can_populate && done < size; done += PAGE)
		must(!private_get_page(&vm, gpa + done));
	while (done < size) {
		long n = private_populate(&vm, gpa + done, (size - done) / PAGE,
					  contents ? contents + done : NULL);

		must(n > 0);
		done += n * PAGE;
	}
}

static void snp_launch(void)
{
	memset(bios.host, 0xf4, bios.size);
	snp_launch_update(BIOS_GPA, bios.size, bios.host);
	memset(ram0.host + 8 * MIB, 1, 16 * PAGE);
	snp_launch_update(8 * MIB, 9 * PAGE, NULL);
	snp_launch_update(8 * MIB + 9 * PAGE, 2 * PAGE, ram0.host + 8 * MIB + 9 * PAGE);
	snp_launch_update(ram0.size + MIB, 5 * PAGE, NULL);
	snp_launch_update(RAM3_GPA + PAGE, 7 * PAGE, NULL);
}

/* The guest runs on CPUs of both nodes. */
static void guest_touches(uint64_t gpa, uint64_t size)
{
	uint64_t chunk = 16 * PAGE, done;

	for (done = 0; done < size; done += chunk) {
		must(!numa_run_on_node(done / chunk % NODES));
		must(!private_fault(&vm, 0, gpa + done,
				    size - done < chunk ? size - done : chunk));
	}
	must(!numa_run_on_node(-1));
}

static void guest_touches_all(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		if (slots[i].block)
			guest_touches(slots[i].gpa, slots[i].size);
	}
}

static struct slot *slot_of(uint64_t gpa)
{
	size_t i = 0;

	while (!slots[i].block || gpa < slots[i].gpa || gpa >= slots[i].gpa + slots[i].size)
		must(++i < ARRAY_SIZE(slots));
	return &slots[i];
}

/* kvm_convert_memory() */
static void convert_memory(uint64_t gpa, uint64_t size, bool to_private)
{
	struct slot *s = slot_of(gpa);
	uint64_t offset = gpa - s->gpa + s->offset;

	if (!to_private) {
		private_share(&vm, s->block->guest_memfd, offset, gpa, size);
		return;
	}
	private_set(&vm, gpa, size, true);
	if (s->block->memfd)
		vmm_punch(s->block->fd, offset, size);
	must(!madvise(s->block->host + offset, size, MADV_DONTNEED));
}

/*
 * The guest accesses a private page as shared without having asked for that, and QEMU converts it.
 * KVM notices if the page is not mapped yet; on hardware always.
 */
static void implicit_conversion(uint64_t gpa)
{
	struct slot *s = slot_of(gpa);
	char *host = s->block->host + (gpa - s->gpa + s->offset);
	struct kvm_run *run = vm.vcpu[0].run;

	convert_memory(gpa, PAGE, false);
	convert_memory(gpa, PAGE, true);
	vmm_quiet = true;
	fails(vmm_write(&vm, 0, gpa, 1, 4711), EFAULT, "%s: a shared access leaves the guest",
	      s->block->name);
	vmm_quiet = false;
	ok(run->exit_reason == KVM_EXIT_MEMORY_FAULT && run->memory_fault.gpa == gpa &&
	   !run->memory_fault.flags, "%s: and says that the page should be shared", s->block->name);
	convert_memory(gpa, PAGE, false);
	must(!vmm_write(&vm, 0, gpa, 1, 4711));
	is(*(uint64_t *)host, 4711, "%s: then it is", s->block->name);
}

/* All memory is private, and the guest has touched all of it. */
static void check(const char *when)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		const struct slot *s = &slots[i];
		struct placed_range range;

		if (!s->block)
			continue;
		range = (struct placed_range){ &vm, s->block->name, s->gpa, s->size,
					       s->block->host + s->offset, s->block->host_nodes };
		placed_check(&range, when);
	}
}

static void test_launch(const char *when)
{
	snp_launch();
	/* Where the guest has the save areas of other vCPUs, KVM asks for the page. */
	must(!private_get_page(&vm, 2 * MIB));
	must(!private_get_page(&vm, ram0.size + 2 * MIB));
	must(!private_get_page(&vm, 4 * GIB + MIB));
	guest_touches_all();
	check(when);
}

static void test_conversions(void)
{
	static const struct {
		uint64_t gpa, size;
	} ranges[] = {
		{ 2 * MIB, 2 * MIB },			/* ram0 */
		{ 25 * MIB, MIB },			/* ram1, below 4 GiB */
		{ 4 * GIB + MIB, MIB },			/* ram1, above */
		{ 4 * GIB + 8 * MIB, 12 * MIB },	/* all of ram2 */
		{ RAM3_GPA + MIB + PAGE, 37 * PAGE },	/* ram3 */
		{ 4 * GIB + 33 * MIB, MIB },		/* ram4 */
		{ 4 * GIB + 41 * MIB, 2 * MIB },	/* ram5 */
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		const struct slot *s = slot_of(ranges[i].gpa);
		char *host = s->block->host + (ranges[i].gpa - s->gpa + s->offset);
		uint64_t value = 1000 * i + 1;

		convert_memory(ranges[i].gpa, ranges[i].size, false);
		must(!vmm_write(&vm, 0, ranges[i].gpa, ranges[i].size / PAGE, value));
		is(*(uint64_t *)(host + ranges[i].size - PAGE), value,
		   "%s: made shared, and host and guest share it", s->block->name);
	}
	/* Software-protected guests do not tell KVM how they access a page. */
	if (private_has_rmp()) {
		implicit_conversion(5 * MIB);
		implicit_conversion(4 * GIB + 5 * MIB);
	}
	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		convert_memory(ranges[i].gpa, ranges[i].size, true);
	convert_memory(5 * MIB, PAGE, true);
	convert_memory(4 * GIB + 5 * MIB, PAGE, true);
	guest_touches_all();
	check("converted to shared and back");
}

static void test_hotplug(void)
{
	memory_backend(&dimm1);
	region_add(&dimm1, DIMM_GPA, dimm1.size, 0);
	guest_touches(DIMM_GPA, dimm1.size);
	check("hotplugged");

	region_del(DIMM_GPA);
	memory_backend_gone(&dimm1);
	/* A deleted memslot makes KVM_PRE_FAULT_MEMORY of 6.12 wait for the vCPU to run. */
	must(!vmm_halt(&vm, 0));
	memory_backend(&dimm0);
	region_add(&dimm0, DIMM_GPA, dimm0.size, 0);
	guest_touches_all();
	check("unplugged, and plugged again with another node");
	region_del(DIMM_GPA);
	memory_backend_gone(&dimm0);
	must(!vmm_halt(&vm, 0));
}

/*
 * The firmware changes what is below 1 MiB: a memslot is deleted, and two are made of a file that
 * has pages already.
 */
static void test_pam(void)
{
	region_del(OPTION_ROM_END);
	region_add(&ram0, OPTION_ROM_END, MIB - OPTION_ROM_END, OPTION_ROM_END);
	region_add(&ram0, MIB, ram0.size - MIB, MIB);
	must(!vmm_halt(&vm, 0));
	guest_touches_all();
	check("other memslots, the same files");
}

/* kvm_reset_vmfd(): the shared half and its policies stay, all else is made anew. */
static void test_reset(void)
{
	struct vmm old = vm;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		if (slots[i].block)
			region_del(slots[i].gpa);
	}
	close(old.fd);
	old.fd = -1;
	private_create(&vm, 1);
	for (i = 0; i < ARRAY_SIZE(machine); i++) {
		close(machine[i]->guest_memfd);
		create_guest_memfd(machine[i]);
	}
	vmm_destroy(&old);
	pc_memory_init();
	test_launch("reset");
}

static void test_exit(void)
{
	size_t i;

	/* Nothing is deleted or unmapped in order: the process just ends. */
	vmm_destroy(&vm);
	for (i = 0; i < ARRAY_SIZE(machine); i++)
		close(machine[i]->guest_memfd);
	private_check_rmp();
}

int main(void)
{
	size_t i;

	must(private_memory_exists());
	private_create(&vm, 1);
	for (i = 0; i < ARRAY_SIZE(machine); i++)
		memory_backend(machine[i]);
	pc_memory_init();
	test_launch("launched");
	test_conversions();
	test_hotplug();
	test_pam();
	test_reset();
	test_exit();
	return tap_exit();
}
