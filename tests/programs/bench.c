// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench SECTION [ARGUMENT...]: figures for `make bench`, one per line:
 *	figure SECTION OPERATION BACKEND POLICY N NANOSECONDS
 * where NANOSECONDS must be divided by N. Under icount, a nanosecond is an instruction. The backend
 * is guest_memfd if the kernel has it, and else memfd.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/memfd.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "numa.h"
#include "tap.h"
#include "vmm.h"

static const char *section;

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/*
 * A profiler, if there is one, sees only what is timed: `perf record --control fifo:ctl,ack` is
 * told when to begin and when to stop.
 */
static int perf_ctl = -1, perf_ack = -1;

static void perf_find(void)
{
	perf_ctl = open("/tmp/perf.ctl", O_WRONLY);
	perf_ack = open("/tmp/perf.ack", O_RDONLY);
}

static void perf_tell(const char *command)
{
	char ack[16];

	if (perf_ctl < 0)
		return;
	must(write(perf_ctl, command, strlen(command)) > 0);
	must(read(perf_ack, ack, sizeof(ack)) > 0);
}

static uint64_t clock_start(void)
{
	perf_tell("enable\n");
	return now();
}

static uint64_t clock_stop(uint64_t start)
{
	uint64_t ns = now() - start;

	perf_tell("disable\n");
	return ns;
}

static void figure(const char *op, const char *backend, const char *policy, uint64_t n, uint64_t ns)
{
	printf("%s %s %s %s %s %lu %lu\n", "figure", section, op, backend, policy, n, ns);
}

static const struct policy {
	const char *name;
	int mode;
	unsigned long nodes;
} policies[] = {
	{ "none", -1, 0 },
	{ "bind", MPOL_BIND, NODE(1) },
	{ "preferred-many", MPOL_PREFERRED_MANY, BOTH_NODES },
	{ "interleave", MPOL_INTERLEAVE, BOTH_NODES },
};

#define BIND (&policies[1])

/*
 * A guest's memory, bound to a slot: a guest_memfd or a memfd, mapped, with a policy; or private
 * memory, and mapped is its shared half, a memfd with a policy. "private-task" is private memory
 * whose shared half has no policy: the task has it instead, and the kernel follows that itself.
 * "gmem-slot" is a guest_memfd whose mapping is an ordinary slot's memory. "memfd-thp" and
 * "memfd-hugetlb" are memfds with 2 MiB pages: those of shmem, and those of a pool.
 */
struct memory {
	const char *backend;
	const struct policy *policy;
	uint64_t size;
	int fd;
	char *map;
};

/* Is the file bound to the slot, instead of its mapping? */
static bool is_gmem(const struct memory *m)
{
	return !strcmp(m->backend, "gmem");
}

static bool is_gmem_file(const struct memory *m)
{
	return !strncmp(m->backend, "gmem", 4);
}

static bool is_thp(const struct memory *m)
{
	return !strcmp(m->backend, "memfd-thp");
}

static bool is_hugetlb(const struct memory *m)
{
	return !strcmp(m->backend, "memfd-hugetlb");
}

static bool is_private(const struct memory *m)
{
	return !strncmp(m->backend, "private", 7);
}

static bool is_task_policy(const struct memory *m)
{
	return !strcmp(m->backend, "private-task");
}

static void set_task_policy(int mode, unsigned long nodes)
{
	must(!syscall(SYS_set_mempolicy, mode, nodes ? &nodes : NULL, 64UL));
}

#define HUGE (2 * MIB)

/* Fills the pool, or empties it, for memory that may be on any node. */
static void set_pool(uint64_t size)
{
	char path[96], pages[16];
	int node;

	snprintf(pages, sizeof(pages), "%lu", size / HUGE);
	for (node = 0; node < NODES; node++) {
		snprintf(path, sizeof(path),
			 "/sys/devices/system/node/node%d/hugepages/hugepages-2048kB/nr_hugepages",
			 node);
		write_file(path, pages);
	}
}

static void set_thp(const char *when)
{
	write_file("/sys/kernel/mm/transparent_hugepage/shmem_enabled", when);
}

static int open_memfd(const struct memory *m)
{
	int fd = memfd_create("guest", is_hugetlb(m) ? MFD_HUGETLB | MFD_HUGE_2MB : 0);

	must(fd >= 0 && !ftruncate(fd, m->size));
	return fd;
}

static void memory_open(struct memory *m, struct vmm *vm)
{
	if (is_hugetlb(m))
		set_pool(m->size);
	if (is_thp(m))
		set_thp("always");
	m->fd = is_gmem_file(m) ? vmm_gmem(vm, m->size, VMM_GMEM_BOTH) : open_memfd(m);
	m->map = mmap(NULL, m->size, PROT_READ | PROT_WRITE, MAP_SHARED, m->fd, 0);
	must(m->map != MAP_FAILED);
	if (is_private(m)) {
		close(m->fd);
		m->fd = vmm_gmem(vm, m->size, 0);
	}
	if (m->policy->mode >= 0 && is_task_policy(m))
		set_task_policy(m->policy->mode, m->policy->nodes);
	else if (m->policy->mode >= 0)
		must(!set_policy(m->map, m->size, m->policy->mode, m->policy->nodes));
}

static void memory_bind(struct memory *m, struct vmm *vm)
{
	struct kvm_memory_attributes private = {
		.address = VMM_TEST_GPA,
		.size = m->size,
		.attributes = KVM_MEMORY_ATTRIBUTE_PRIVATE,
	};

	if (is_gmem(m) || is_private(m))
		vmm_bind(vm, m->fd, m->size, m->map);
	if (is_private(m))
		must(!ioctl(vm->fd, KVM_SET_MEMORY_ATTRIBUTES, &private));
	else if (!is_gmem(m))
		must(!vmm_slot(vm, VMM_TEST_SLOT, 0, VMM_TEST_GPA, m->size, m->map, -1, 0));
}

static void memory_close(struct memory *m, struct vmm *vm)
{
	if (is_task_policy(m))
		set_task_policy(MPOL_DEFAULT, 0);
	vmm_delete_slot(vm, VMM_TEST_SLOT);
	munmap(m->map, m->size);
	close(m->fd);
	if (is_hugetlb(m))
		set_pool(0);
	if (is_thp(m))
		set_thp("never");
}

static void touch(const struct memory *m)
{
	uint64_t i;

	for (i = 0; i < m->size; i += PAGE)
		((volatile char *)m->map)[i] = 1;
}

static void allocate(const struct memory *m)
{
	must(!fallocate(m->fd, FALLOC_FL_KEEP_SIZE, 0, m->size));
}

static void punch(const struct memory *m)
{
	vmm_punch(m->fd, 0, m->size);
}

static void punch_pieces(const struct memory *m)
{
	uint64_t i;

	for (i = 0; i < m->size; i += HUGE)
		vmm_punch(m->fd, i, HUGE);
}

/* --- one page */

/* Each operation starts from newly opened memory, and does without timing what it needs first. */
static uint64_t guest_first_touch(struct memory *m, struct vmm *vm)
{
	uint64_t t;

	memory_bind(m, vm);
	must(!vmm_halt(vm, 0));
	t = clock_start();
	must(!vmm_write(vm, 0, VMM_TEST_GPA, m->size / PAGE, 1));
	return clock_stop(t);
}

static uint64_t host_first_touch(struct memory *m, struct vmm *vm)
{
	uint64_t t = clock_start();

	touch(m);
	return clock_stop(t);
}

static uint64_t populate(struct memory *m, struct vmm *vm)
{
	uint64_t t = clock_start();

	must(!madvise(m->map, m->size, MADV_POPULATE_WRITE));
	return clock_stop(t);
}

static uint64_t allocation(struct memory *m, struct vmm *vm)
{
	uint64_t t = clock_start();

	allocate(m);
	return clock_stop(t);
}

static uint64_t touch_after_fallocate(struct memory *m, struct vmm *vm)
{
	allocate(m);
	return host_first_touch(m, vm);
}

static uint64_t guest_touch_after_fallocate(struct memory *m, struct vmm *vm)
{
	allocate(m);
	return guest_first_touch(m, vm);
}

static uint64_t punch_hole(struct memory *m, struct vmm *vm)
{
	uint64_t t;

	allocate(m);
	t = clock_start();
	punch(m);
	return clock_stop(t);
}

static uint64_t punch_hole_in_guest(struct memory *m, struct vmm *vm)
{
	uint64_t t;

	guest_first_touch(m, vm);
	t = clock_start();
	punch(m);
	return clock_stop(t);
}

/* What a balloon or a memory device does. */
static uint64_t punch_2m(struct memory *m, struct vmm *vm)
{
	uint64_t t;

	allocate(m);
	t = clock_start();
	punch_pieces(m);
	return clock_stop(t);
}

static uint64_t punch_2m_in_guest(struct memory *m, struct vmm *vm)
{
	uint64_t t;

	guest_first_touch(m, vm);
	t = clock_start();
	punch_pieces(m);
	return clock_stop(t);
}

static const struct operation {
	const char *name;
	uint64_t (*run)(struct memory *m, struct vmm *vm);
} operations[] = {
	{ "guest-first-touch", guest_first_touch },
	{ "host-first-touch", host_first_touch },
	{ "populate-write", populate },
	{ "fallocate", allocation },
	{ "touch-after-fallocate", touch_after_fallocate },
	{ "guest-touch-after-fallocate", guest_touch_after_fallocate },
	{ "punch-hole", punch_hole },
	{ "punch-hole-in-guest", punch_hole_in_guest },
};

static const struct operation huge_operations[] = {
	{ "guest-first-touch", guest_first_touch },
	{ "host-first-touch", host_first_touch },
	{ "fallocate", allocation },
	{ "touch-after-fallocate", touch_after_fallocate },
	{ "guest-touch-after-fallocate", guest_touch_after_fallocate },
	{ "punch-2M", punch_2m },
	{ "punch-2M-in-guest", punch_2m_in_guest },
};

/* Only what is bound to a slot is placed, so memory is bound before it is allocated. */
static uint64_t bound_allocation(struct memory *m, struct vmm *vm)
{
	memory_bind(m, vm);
	return allocation(m, vm);
}

static uint64_t prefault(struct memory *m, struct vmm *vm)
{
	uint64_t t;

	memory_bind(m, vm);
	must(!vmm_halt(vm, 0));
	t = clock_start();
	must(!vmm_prefault(vm, 0, VMM_TEST_GPA, m->size));
	return clock_stop(t);
}

static const struct operation private_operations[] = {
	{ "guest-first-touch", guest_first_touch },
	{ "prefault", prefault },
	{ "fallocate", bound_allocation },
	{ "punch-hole-in-guest", punch_hole_in_guest },
};

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

#define REPEAT 3

/* Runs the operation on its own VM and memory. */
static uint64_t run_once(const struct operation *op, const char *backend,
			 const struct policy *policy, uint64_t size)
{
	struct memory m = { backend, policy, size };
	struct vmm vm;
	uint64_t ns;

	vmm_open_type(&vm, is_private(&m) ? KVM_X86_SW_PROTECTED_VM : 0);
	vmm_start(&vm, 1);
	memory_open(&m, &vm);
	ns = op->run(&m, &vm);
	memory_close(&m, &vm);
	vmm_destroy(&vm);
	return ns;
}

/* Reports the median of REPEAT runs. */
static void measure(const struct operation *op, const char *backend, const struct policy *policy,
		    uint64_t size)
{
	uint64_t ns[REPEAT];
	int i;

	for (i = 0; i < REPEAT; i++)
		ns[i] = run_once(op, backend, policy, size);
	qsort(ns, REPEAT, sizeof(ns[0]), by_value);
	figure(op->name, backend, policy->name, size / PAGE, ns[REPEAT / 2]);
}

static bool has_gmem(void)
{
	struct vmm vm;
	int fd;

	vmm_create(&vm, 0);
	fd = vmm_gmem_try(&vm, PAGE, VMM_GMEM_BOTH);
	vmm_destroy(&vm);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static const char *backend_here(void)
{
	return has_gmem() ? "gmem" : "memfd";
}

/* args: one policy, or none for all. */
static void bench_pages(char **args)
{
	const char *backend = backend_here();
	size_t p, o;

	for (p = 0; p < ARRAY_SIZE(policies); p++) {
		if (args[0] && strcmp(args[0], policies[p].name))
			continue;
		for (o = 0; o < ARRAY_SIZE(operations); o++)
			measure(&operations[o], backend, &policies[p], 4 * MIB);
	}
}

/* --- memory of a size that 2 MiB folios are for */

/* How memory can be provided here; NULL ends the list. */
static const char *const *backends_here(void)
{
	static const char *const gmem[] = { "gmem", "gmem-slot", NULL };
	static const char *const memfd[] = { "memfd", "memfd-thp", "memfd-hugetlb", NULL };

	return has_gmem() ? gmem : memfd;
}

/* args: one policy, or none for all. */
static void bench_huge(char **args)
{
	const char *const *backend;
	size_t p, o;

	for (p = 0; p < ARRAY_SIZE(policies); p++) {
		if (args[0] && strcmp(args[0], policies[p].name))
			continue;
		for (backend = backends_here(); *backend; backend++) {
			for (o = 0; o < ARRAY_SIZE(huge_operations); o++)
				measure(&huge_operations[o], *backend, &policies[p], 16 * MIB);
		}
	}
}

/* --- tables: what the memory of a guest takes in page tables, once all of it is there */

#define TABLES_SIZE (256 * MIB)

/* A number that KVM has for this VM. */
static uint64_t kvm_number(const struct vmm *vm, const char *name)
{
	char path[96];
	uint64_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/kvm/%d-%d/%s", getpid(), vm->fd, name);
	f = fopen(path, "r");
	must(f && fscanf(f, "%lu", &n) == 1);
	fclose(f);
	return n;
}

/* The number of a line of /proc/meminfo in KiB, with what CPUs have not added yet. */
static uint64_t meminfo_kb(const char *name)
{
	char line[128];
	uint64_t kb = 0;
	FILE *f;

	write_file("/proc/sys/vm/stat_refresh", "1");
	f = fopen("/proc/meminfo", "r");
	must(f);
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			sscanf(line + strlen(name) + 1, "%lu", &kb);
	}
	fclose(f);
	return kb;
}

struct tables {
	uint64_t entries_4k, entries_2m, kvm_kb, vmm_kb;
};

static void tables_read(struct tables *t, const struct vmm *vm)
{
	t->entries_4k = kvm_number(vm, "pages_4k");
	t->entries_2m = kvm_number(vm, "pages_2m");
	t->kvm_kb = meminfo_kb("SecPageTables");
	t->vmm_kb = meminfo_kb("PageTables");
}

/*
 * Page tables are there from when memory is touched until the VM goes. What maps the guest's
 * memory goes when the memory does, and what maps the rest of the guest stays.
 */
static void tables_of(const char *backend)
{
	struct memory m = { backend, BIND, TABLES_SIZE };
	struct tables before, all, without;
	struct vmm vm;

	vmm_create(&vm, 1);
	memory_open(&m, &vm);
	memory_bind(&m, &vm);
	must(!vmm_halt(&vm, 0));
	tables_read(&before, &vm);
	must(!vmm_write(&vm, 0, VMM_TEST_GPA, m.size / PAGE, 1));
	touch(&m);
	tables_read(&all, &vm);
	punch(&m);
	tables_read(&without, &vm);

	figure("entries-4K", backend, BIND->name, 1, all.entries_4k - without.entries_4k);
	figure("entries-2M", backend, BIND->name, 1, all.entries_2m - without.entries_2m);
	figure("kvm-tables-KiB", backend, BIND->name, 1, all.kvm_kb - before.kvm_kb);
	figure("vmm-tables-KiB", backend, BIND->name, 1, all.vmm_kb - before.vmm_kb);
	memory_close(&m, &vm);
	vmm_destroy(&vm);
}

static void bench_tables(char **args)
{
	const char *const *backend;

	for (backend = backends_here(); *backend; backend++)
		tables_of(*backend);
}

/* --- growth: guest size */

/* args: whose policy it is, that of the "mapping" or of the "task". */
static void bench_private(char **args)
{
	const char *backend;
	size_t p, o;

	must(args[0]);
	backend = strcmp(args[0], "task") ? "private" : "private-task";
	for (p = 0; p < ARRAY_SIZE(policies); p++) {
		for (o = 0; o < ARRAY_SIZE(private_operations); o++)
			measure(&private_operations[o], backend, &policies[p], 4 * MIB);
	}
}

static const struct operation *operation(const char *name)
{
	size_t o;

	for (o = 0; o < ARRAY_SIZE(operations); o++) {
		if (!strcmp(operations[o].name, name))
			return &operations[o];
	}
	tap_die(__FILE__, __LINE__, name);
}

static void bench_growth(char **args)
{
	static const char *const names[] = {
		"guest-first-touch", "host-first-touch", "fallocate", "punch-hole",
	};
	const char *backend = backend_here();
	uint64_t size;
	size_t o;

	for (size = 16 * MIB; size <= GIB; size *= 8) {
		for (o = 0; o < ARRAY_SIZE(names); o++) {
			char name[64];

			snprintf(name, sizeof(name), "%s-%luM", names[o], size / MIB);
			figure(name, backend, BIND->name, size / PAGE,
			       run_once(operation(names[o]), backend, BIND, size));
		}
	}
}

/* args: OPERATION. */
static void bench_profile(char **args)
{
	const char *backend = backend_here();
	uint64_t size = 64 * MIB;

	must(args[0]);
	perf_find();
	figure(args[0], backend, BIND->name, size / PAGE,
	       run_once(operation(args[0]), backend, BIND, size));
}

/* --- calls */

#define CALLS 200
#define RANGES 1000

static void call_create(const char *backend)
{
	struct memory m = { backend, &policies[0], 4 * MIB };
	struct vmm vm;
	uint64_t t;
	int i;

	vmm_create(&vm, 0);
	t = now();
	for (i = 0; i < CALLS; i++) {
		memory_open(&m, &vm);
		munmap(m.map, m.size);
		close(m.fd);
	}
	figure("create-map-close", backend, "none", CALLS, now() - t);
	vmm_destroy(&vm);
}

static void call_mbind_one(const char *backend)
{
	struct memory m = { backend, &policies[0], 4 * MIB };
	struct vmm vm;
	uint64_t t;
	int i;

	vmm_create(&vm, 0);
	memory_open(&m, &vm);
	t = now();
	for (i = 0; i < CALLS; i++)
		must(!set_policy(m.map, m.size, MPOL_BIND, NODE(i % 2)));
	figure("mbind-1-range", backend, "bind", CALLS, now() - t);
	memory_close(&m, &vm);
	vmm_destroy(&vm);
}

/* Neighbouring ranges differ, or they would be merged. */
static void set_ranges(const struct memory *m, unsigned long n)
{
	unsigned long i;

	for (i = 0; i < n; i++)
		must(!set_policy(m->map + i * PAGE, PAGE, MPOL_BIND, NODE(i % 2)));
}

static void call_mbind_many(const char *backend)
{
	struct memory m = { backend, &policies[0], RANGES * PAGE };
	struct vmm vm;
	uint64_t t;

	vmm_create(&vm, 0);
	memory_open(&m, &vm);
	t = now();
	set_ranges(&m, RANGES);
	figure("mbind-1000-ranges", backend, "bind", RANGES, now() - t);
	memory_close(&m, &vm);
	vmm_destroy(&vm);
}

/* Maps the file anew, so that there is one mapping and only the file has the ranges. */
static void call_lookup(const char *backend, unsigned long ranges)
{
	struct memory m = { backend, &policies[0], 10000 * PAGE };
	unsigned long i, nodes;
	struct vmm vm;
	char name[64];
	uint64_t t;
	int mode;

	vmm_create(&vm, 0);
	memory_open(&m, &vm);
	set_ranges(&m, ranges);
	munmap(m.map, m.size);
	m.map = mmap(NULL, m.size, PROT_READ | PROT_WRITE, MAP_SHARED, m.fd, 0);
	must(m.map != MAP_FAILED);

	t = now();
	for (i = 0; i < RANGES; i++)
		must(!get_policy(m.map + i * 7919 % ranges * PAGE, &mode, &nodes));
	snprintf(name, sizeof(name), "policy-lookup-%lu", ranges);
	figure(name, backend, "bind", RANGES, now() - t);
	must(mode == MPOL_BIND);
	memory_close(&m, &vm);
	vmm_destroy(&vm);
}

static void bench_calls(char **args)
{
	const char *backend = backend_here();

	call_create(backend);
	call_mbind_one(backend);
	call_mbind_many(backend);
	call_lookup(backend, 1);
	call_lookup(backend, 100);
	call_lookup(backend, 10000);
}

/* --- bystanders: a VM that has no guest_memfd; args: what to call the state of the host */

#define BYSTANDER_SIZE (8 * MIB)

/* The host has the pages already, so only KVM's part is counted. */
static void bystander_faults(const char *state)
{
	uint64_t ns[REPEAT], t;
	int i;

	for (i = 0; i < REPEAT; i++) {
		struct vmm vm;
		void *p = mmap(NULL, BYSTANDER_SIZE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		must(p != MAP_FAILED && !madvise(p, BYSTANDER_SIZE, MADV_NOHUGEPAGE));
		memset(p, 1, BYSTANDER_SIZE);
		vmm_create(&vm, 1);
		must(!vmm_slot(&vm, VMM_TEST_SLOT, 0, VMM_TEST_GPA, BYSTANDER_SIZE, p, -1, 0));
		must(!vmm_halt(&vm, 0));
		t = now();
		must(!vmm_write(&vm, 0, VMM_TEST_GPA, BYSTANDER_SIZE / PAGE, 1));
		ns[i] = now() - t;
		vmm_destroy(&vm);
		munmap(p, BYSTANDER_SIZE);
	}
	qsort(ns, REPEAT, sizeof(ns[0]), by_value);
	figure("guest-fault", "anonymous", state, BYSTANDER_SIZE / PAGE, ns[REPEAT / 2]);
}

static void bystander_ioctls(const char *state)
{
	struct vmm vm;
	uint64_t t;
	int i;

	vmm_create(&vm, 0);
	t = now();
	for (i = 0; i < CALLS; i++)
		vmm_cap(vm.fd, KVM_CAP_USER_MEMORY);
	figure("ioctl-check-extension", "anonymous", state, CALLS, now() - t);

	t = now();
	for (i = 0; i < CALLS; i++) {
		must(!vmm_slot(&vm, VMM_TEST_SLOT, 0, VMM_TEST_GPA, PAGE, vm.ctrl, -1, 0));
		must(!vmm_delete_slot(&vm, VMM_TEST_SLOT));
	}
	figure("ioctl-memslot-and-back", "anonymous", state, CALLS, now() - t);

	t = now();
	for (i = 0; i < CALLS; i++)
		must(!ioctl(vm.fd, KVM_SET_TSC_KHZ, 0));
	figure("ioctl-set-tsc-khz", "anonymous", state, CALLS, now() - t);

	t = now();
	for (i = 0; i < CALLS; i++)
		must(vmm_cap(vm.kvm_fd, KVM_CAP_USER_MEMORY));
	figure("ioctl-of-dev-kvm", "anonymous", state, CALLS, now() - t);
	vmm_destroy(&vm);
}

static void bystander(const char *state)
{
	bystander_faults(state);
	bystander_ioctls(state);
}

static void bench_bystander(char **args)
{
	struct memory m = { "gmem", BIND, HUGE };
	struct vmm vm;

	bystander(args[0] ? args[0] : "idle");
	if (!has_gmem())
		return;

	vmm_create(&vm, 1);
	memory_open(&m, &vm);
	memory_bind(&m, &vm);
	bystander("bound");
	memory_close(&m, &vm);
	vmm_destroy(&vm);
	sleep(3);
	bystander("idle-again");
}

/* --- the module; args: its file */

static void bench_module(char **args)
{
	uint64_t load[REPEAT], unload[REPEAT], t;
	int i;

	for (i = 0; i < REPEAT; i++) {
		int fd = open(args[0], O_RDONLY);

		must(fd >= 0);
		t = now();
		must(!syscall(SYS_finit_module, fd, "", 0));
		load[i] = now() - t;
		close(fd);
		sleep(1);
		t = now();
		must(!syscall(SYS_delete_module, "kvm_gmem_numa", O_NONBLOCK));
		unload[i] = now() - t;
	}
	qsort(load, REPEAT, sizeof(load[0]), by_value);
	qsort(unload, REPEAT, sizeof(unload[0]), by_value);
	figure("load", "module", "-", 1, load[REPEAT / 2]);
	figure("unload", "module", "-", 1, unload[REPEAT / 2]);
}

/* --- several at once, by the clock */

#define PARALLEL_SIZE (256 * MIB)

struct worker {
	pthread_t thread;
	struct vmm *vm;
	struct memory *m;
	uint64_t first, size; /* bytes */
	int vcpu;
};

static void *work_guest(void *arg)
{
	struct worker *w = arg;

	must(!vmm_write(w->vm, w->vcpu, VMM_TEST_GPA + w->first, w->size / PAGE, 1));
	return NULL;
}

static void *work_host(void *arg)
{
	struct worker *w = arg;
	uint64_t i;

	for (i = w->first; i < w->first + w->size; i += PAGE)
		((volatile char *)w->m->map)[i] = 1;
	return NULL;
}

static void *work_fallocate(void *arg)
{
	struct worker *w = arg;

	must(!fallocate(w->m->fd, FALLOC_FL_KEEP_SIZE, w->first, w->size));
	return NULL;
}

static void together(const char *op, const char *backend, int n, void *(*work)(void *))
{
	struct memory m = { backend, BIND, PARALLEL_SIZE };
	struct worker w[VMM_MAX_VCPUS];
	struct vmm vm;
	char name[64];
	uint64_t t;
	int i;

	vmm_create(&vm, n);
	memory_open(&m, &vm);
	memory_bind(&m, &vm);
	for (i = 0; i < n; i++) {
		w[i] = (struct worker){ 0, &vm, &m, m.size / n * i, m.size / n, i };
		must(!vmm_halt(&vm, i));
	}
	t = now();
	for (i = 0; i < n; i++)
		must(!pthread_create(&w[i].thread, NULL, work, &w[i]));
	for (i = 0; i < n; i++)
		must(!pthread_join(w[i].thread, NULL));
	snprintf(name, sizeof(name), "%s-x%d", op, n);
	figure(name, backend, BIND->name, m.size / PAGE, now() - t);
	memory_close(&m, &vm);
	vmm_destroy(&vm);
}

static void parallel_of(const char *backend)
{
	int n;

	for (n = 1; n <= VMM_MAX_VCPUS; n *= 2) {
		together("guest-first-touch", backend, n, work_guest);
		together("host-first-touch", backend, n, work_host);
		together("fallocate", backend, n, work_fallocate);
	}
}

/*
 * Keeps one vCPU: KVM patches the kernel when the first vCPU is created, and when the last one
 * goes.
 */
static void bench_parallel(char **args)
{
	struct vmm vm;

	vmm_create(&vm, 1);
	if (has_gmem())
		parallel_of("gmem");
	parallel_of("memfd");
	vmm_destroy(&vm);
}

static const struct {
	const char *name;
	void (*run)(char **args);
} sections[] = {
	{ "pages", bench_pages },
	{ "huge", bench_huge },
	{ "tables", bench_tables },
	{ "growth", bench_growth },
	{ "private", bench_private },
	{ "calls", bench_calls },
	{ "bystander", bench_bystander },
	{ "module", bench_module },
	{ "parallel", bench_parallel },
	{ "profile", bench_profile },
};

int main(int argc, char **argv)
{
	size_t i;

	must(argc > 1);
	setbuf(stdout, NULL);
	section = argv[1];
	for (i = 0; i < ARRAY_SIZE(sections); i++) {
		if (!strcmp(sections[i].name, section)) {
			sections[i].run(argv + 2);
			return 0;
		}
	}
	tap_die(__FILE__, __LINE__, section);
}
