// SPDX-License-Identifier: GPL-2.0-only
/* VMs: memslots, the guest, KVM_SET_TSC_KHZ. */
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "fuzz.h"

static void vm_random(struct prng *r, const struct model *m, long *arg)
{
	arg[0] = prng_below(r, VMS);
	arg[1] = prng_rarely(r, 3);
}

static void vm_model(struct model *m, const long *arg, struct outcome *o)
{
	o->skip = m->vm[arg[0]].alive || (arg[1] && !kernel.private);
	if (!o->skip)
		m->vm[arg[0]] = (struct vm){ .open = true, .alive = true, .private = arg[1],
					     .tsc_khz = kernel.tsc_khz };
}

static void vm_execute(const long *arg, struct outcome *o)
{
	char *plain = mmap(NULL, PLAIN_PAGES * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(plain != MAP_FAILED);
	must(!madvise(plain, PLAIN_PAGES * PAGE, MADV_DONTFORK));
	world.plain[arg[0]] = plain;
	if (arg[1])
		private_create(&world.vm[arg[0]], 0);
	else
		vmm_create(&world.vm[arg[0]], 0);
}

const struct op_type op_vm = { "vm", 10, { "vm", "private" }, vm_random, vm_model, vm_execute };

static void open_vm_random(struct prng *r, const struct model *m, long *arg)
{
	arg[0] = pick_open_vm(r, m);
}

static void vm_close_model(struct model *m, const long *arg, struct outcome *o)
{
	o->skip = !m->vm[arg[0]].open;
	if (o->skip)
		return;
	m->vm[arg[0]].open = false;
	model_settle(m);
}

static void vm_close_execute(const long *arg, struct outcome *o)
{
	vmm_destroy(&world.vm[arg[0]]);
	must(!munmap(world.plain[arg[0]], PLAIN_PAGES * PAGE));
}

const struct op_type op_vm_close = {
	"vm-close", 3, { "vm" }, open_vm_random, vm_close_model, vm_close_execute,
};

static void vcpu_model(struct model *m, const long *arg, struct outcome *o)
{
	struct vm *vm = &m->vm[arg[0]];

	o->skip = !vm->open || vm->vcpus == VCPUS;
	if (!o->skip)
		vm->vcpu_khz[vm->vcpus++] = vm->tsc_khz;
}

static void vcpu_execute(const long *arg, struct outcome *o)
{
	vmm_add_vcpu(&world.vm[arg[0]]);
}

const struct op_type op_vcpu = { "vcpu", 20, { "vm" }, open_vm_random, vcpu_model, vcpu_execute };

enum { SLOT_VM, SLOT_SPACE, SLOT_ID, SLOT_FLAGS, SLOT_GPA, SLOT_PAGES, SLOT_HVA, SLOT_FILE,
       SLOT_OFFSET, SLOT_OLD };

/* A file of the VM, where it has private memory: other VMs' files are refused. */
static long pick_slot_file(struct prng *r, const struct model *m, int vm)
{
	int file = pick_open_file(r, m, 0), i;

	for (i = 0; i < 8 && m->vm[vm].private && m->file[file].vm != vm; i++)
		file = pick_open_file(r, m, 0);
	return file;
}

static long pick_private_hva(struct prng *r)
{
	switch (prng_below(r, 8)) {
	case 0:
		return HVA_NONE;
	case 1:
		return prng_below(r, 8);
	case 2:
	case 3:
		return HVA_ARENA + (long)prng_below(r, 64);
	default:
		return HVA_HOST + (long)prng_below(r, HOST_PAGES / 2);
	}
}

static void slot_random(struct prng *r, const struct model *m, long *arg)
{
	static const uint32_t flags[] = {
		KVM_MEM_GUEST_MEMFD | KVM_MEM_READONLY, KVM_MEM_GUEST_MEMFD | KVM_MEM_LOG_DIRTY_PAGES,
		KVM_MEM_LOG_DIRTY_PAGES, 1U << 16, 1U << 31, KVM_MEM_GUEST_MEMFD | 1U << 17,
	};
	static const long odd[] = { 1, PAGE / 2, -(long)PAGE, INT64_MIN, INT64_MAX - PAGE + 1 };
	const struct slot *s;

	arg[SLOT_VM] = pick_open_vm(r, m);
	arg[SLOT_SPACE] = prng_rarely(r, 8);
	arg[SLOT_ID] = 1 + prng_below(r, SLOTS);
	arg[SLOT_FLAGS] = prng_rarely(r, 6) ? 0 : KVM_MEM_GUEST_MEMFD;
	if (prng_rarely(r, 20))
		arg[SLOT_FLAGS] = flags[prng_below(r, ARRAY_SIZE(flags))];
	arg[SLOT_FILE] = pick_slot_file(r, m, arg[SLOT_VM]);
	pick_file_span(r, m, arg[SLOT_FILE], &arg[SLOT_OFFSET], &arg[SLOT_PAGES]);
	pick_whole_folios(r, m, arg[SLOT_FILE], &arg[SLOT_OFFSET], &arg[SLOT_PAGES]);
	arg[SLOT_OFFSET] *= PAGE;
	arg[SLOT_GPA] = pick_congruent(r, arg[SLOT_OFFSET] / (long)PAGE, limits.guest);
	if (!(arg[SLOT_FLAGS] & KVM_MEM_GUEST_MEMFD) && arg[SLOT_PAGES] > PLAIN_PAGES)
		arg[SLOT_PAGES] = 1 + prng_below(r, PLAIN_PAGES);
	arg[SLOT_HVA] = arg[SLOT_FLAGS] & KVM_MEM_GUEST_MEMFD ?
			(prng_rarely(r, 2) ? HVA_NONE : HVA_ARENA + (long)prng_below(r, 64)) :
			(long)prng_below(r, 8);
	if (m->vm[arg[SLOT_VM]].private && arg[SLOT_FLAGS] & KVM_MEM_GUEST_MEMFD)
		arg[SLOT_HVA] = pick_private_hva(r);
	arg[SLOT_OLD] = prng_rarely(r, arg[SLOT_FLAGS] & KVM_MEM_GUEST_MEMFD ? 40 : 3);
	if (prng_rarely(r, 30))
		pick_odd(r, odd, ARRAY_SIZE(odd), &arg[SLOT_OFFSET]);

	/* If the slot exists: delete it, or change one property. */
	s = &m->vm[arg[SLOT_VM]].slot[arg[SLOT_SPACE]][arg[SLOT_ID] - 1];
	if (!s->pages || prng_rarely(r, 3))
		return;
	arg[SLOT_PAGES] = prng_rarely(r, 2) ? 0 : s->pages;
	arg[SLOT_HVA] = s->hva;
	arg[SLOT_FLAGS] = prng_rarely(r, 2) ? s->flags : flags[2] * (long)prng_below(r, 2);
	/* Or move it to where another slot may be. */
	arg[SLOT_GPA] = prng_rarely(r, 3) ? s->gpa : pick_slot(r, m, arg[SLOT_VM])->gpa;
}

static bool overlap(long a, long a_pages, long b, long b_pages)
{
	return a < b + b_pages && b < a + a_pages;
}

static bool gpa_is_taken(const struct model *m, const long *arg)
{
	const struct slot *s = m->vm[arg[SLOT_VM]].slot[arg[SLOT_SPACE]];
	int i;

	for (i = 0; i < SLOTS; i++) {
		if (i != arg[SLOT_ID] - 1 && s[i].pages &&
		    overlap(s[i].gpa, s[i].pages, arg[SLOT_GPA], arg[SLOT_PAGES]))
			return true;
	}
	return false;
}

static bool range_is_bound(const struct model *m, const long *arg)
{
	const struct slot *s = m->vm[arg[SLOT_VM]].slot[0];
	int i;

	for (i = 0; i < SPACES * SLOTS; i++) {
		if (s[i].pages && s[i].flags & KVM_MEM_GUEST_MEMFD && s[i].file == arg[SLOT_FILE] &&
		    overlap(s[i].file_page, s[i].pages, arg[SLOT_OFFSET] / PAGE, arg[SLOT_PAGES]))
			return true;
	}
	return false;
}

static int bind_error(const struct model *m, const long *arg)
{
	const struct file *f = &m->file[arg[SLOT_FILE]];
	bool private = m->vm[arg[SLOT_VM]].private;

	if (!m->process[0].open[arg[SLOT_FILE]])
		return EBADF;
	if (f->vm != arg[SLOT_VM] || private == !!f->flags)
		return EINVAL;
	if (arg[SLOT_OFFSET] / (long)PAGE + arg[SLOT_PAGES] > f->pages)
		return EINVAL;
	if (range_is_bound(m, arg))
		return private ? EINVAL : EEXIST;
	return 0;
}

static int change_error(const struct model *m, const long *arg, const struct slot *s)
{
	uint32_t flags = arg[SLOT_FLAGS];

	if ((flags & KVM_MEM_GUEST_MEMFD) || (s->flags & KVM_MEM_GUEST_MEMFD) ||
	    s->pages != arg[SLOT_PAGES] || s->hva != arg[SLOT_HVA])
		return EINVAL;
	return gpa_is_taken(m, arg) ? EEXIST : 0;
}

static int flags_error(const struct model *m, const long *arg)
{
	uint32_t flags = arg[SLOT_FLAGS];
	unsigned long offset = arg[SLOT_OFFSET], size = arg[SLOT_PAGES] * PAGE;

	/* KVM before 6.8 fails before it looks at the flags. */
	if (!m->loaded && (flags & KVM_MEM_GUEST_MEMFD) && !arg[SLOT_OLD] &&
	    !m->vm[arg[SLOT_VM]].private)
		return kernel.unloaded_bind;
	if (flags & ~(uint32_t)(KVM_MEM_GUEST_MEMFD | KVM_MEM_READONLY | KVM_MEM_LOG_DIRTY_PAGES))
		return EINVAL;
	if (!(flags & KVM_MEM_GUEST_MEMFD))
		return 0;
	if (arg[SLOT_OLD])
		return EINVAL;
	if (flags != KVM_MEM_GUEST_MEMFD || offset % PAGE)
		return EINVAL;
	return offset + size < offset || (size && offset + size > INT64_MAX) ? EINVAL : 0;
}

static int slot_error(const struct model *m, const long *arg)
{
	const struct slot *s = &m->vm[arg[SLOT_VM]].slot[arg[SLOT_SPACE]][arg[SLOT_ID] - 1];
	int err = flags_error(m, arg);

	if (err)
		return err;
	/* With private memory, a VM has one address space. */
	if (m->vm[arg[SLOT_VM]].private && arg[SLOT_SPACE])
		return EINVAL;
	if (!arg[SLOT_PAGES])
		return s->pages ? 0 : EINVAL;
	if (s->pages)
		return change_error(m, arg, s);
	if (gpa_is_taken(m, arg))
		return EEXIST;
	return arg[SLOT_FLAGS] & KVM_MEM_GUEST_MEMFD ? bind_error(m, arg) : 0;
}

static bool slot_makes_sense(const struct model *m, const long *arg)
{
	bool bind = arg[SLOT_FLAGS] & KVM_MEM_GUEST_MEMFD, new;

	/* The guest's writes to READONLY memory would be MMIO. */
	if (!m->vm[arg[SLOT_VM]].open || (!bind && arg[SLOT_FLAGS] & KVM_MEM_READONLY))
		return false;
	if (arg[SLOT_SPACE] & ~1L || arg[SLOT_ID] < 1 || arg[SLOT_ID] > SLOTS ||
	    arg[SLOT_GPA] < 0 || arg[SLOT_GPA] > 2 * limits.guest || arg[SLOT_PAGES] < 0 ||
	    arg[SLOT_PAGES] > 2 * limits.file)
		return false;
	/* KVM compares signed numbers before 7.2, and binds private memory beyond the end. */
	if (bind && m->vm[arg[SLOT_VM]].private &&
	    (unsigned long)arg[SLOT_OFFSET] + arg[SLOT_PAGES] * PAGE > INT64_MAX)
		return false;
	new = !m->vm[arg[SLOT_VM]].slot[arg[SLOT_SPACE]][arg[SLOT_ID] - 1].pages;
	if (!bind && new && arg[SLOT_PAGES])
		return arg[SLOT_HVA] >= 0 && arg[SLOT_HVA] + arg[SLOT_PAGES] <= PLAIN_PAGES;
	return arg[SLOT_HVA] >= HVA_NONE && arg[SLOT_HVA] <= HVA_HOST + HOST_PAGES;
}

static void slot_model(struct model *m, const long *arg, struct outcome *o)
{
	struct slot *s;
	int err;

	o->skip = !slot_makes_sense(m, arg);
	if (o->skip)
		return;
	s = &m->vm[arg[SLOT_VM]].slot[arg[SLOT_SPACE]][arg[SLOT_ID] - 1];
	err = slot_error(m, arg);
	outcome_error(o, err);
	outcome_value(o, 0);
	if (!err)
		*s = (struct slot){ .pages = arg[SLOT_PAGES], .gpa = arg[SLOT_GPA],
				    .hva = arg[SLOT_HVA], .flags = arg[SLOT_FLAGS],
				    .file = arg[SLOT_FILE], .file_page = arg[SLOT_OFFSET] / PAGE };
	if (!s->pages)
		*s = (struct slot){};
}

static uint64_t hva_of(const long *arg)
{
	if (arg[SLOT_HVA] == HVA_NONE)
		return 0;
	if (arg[SLOT_HVA] >= HVA_HOST)
		return (uint64_t)host_memory(arg[SLOT_HVA] - HVA_HOST);
	if (arg[SLOT_HVA] >= HVA_ARENA)
		return (uint64_t)arena(arg[SLOT_HVA] - HVA_ARENA);
	return (uint64_t)world.plain[arg[SLOT_VM]] + arg[SLOT_HVA] * PAGE;
}

/*
 * The size of the address space in pages. The module maps a slot's arguments there for the
 * duration of a call.
 */
static long pages_mapped(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long n;

	must(f && fscanf(f, "%ld", &n) == 1);
	fclose(f);
	return n;
}

static void slot_execute(const long *arg, struct outcome *o)
{
	struct kvm_userspace_memory_region2 region = {
		.slot = arg[SLOT_SPACE] << 16 | arg[SLOT_ID],
		.flags = arg[SLOT_FLAGS],
		.guest_phys_addr = VMM_TEST_GPA + arg[SLOT_GPA] * PAGE,
		.memory_size = arg[SLOT_PAGES] * PAGE,
		.userspace_addr = hva_of(arg),
		.guest_memfd = world.fd[arg[SLOT_FILE]],
		.guest_memfd_offset = arg[SLOT_OFFSET],
	};
	int fd = world.vm[arg[SLOT_VM]].fd;
	long before = pages_mapped();

	outcome_call(o, ioctl(fd, arg[SLOT_OLD] ? KVM_SET_USER_MEMORY_REGION :
						  KVM_SET_USER_MEMORY_REGION2, &region));
	/* KVM before 6.8 without the module has only the older ioctl. */
	if (o->err == ENOTTY && !(region.flags & KVM_MEM_GUEST_MEMFD))
		outcome_call(o, ioctl(fd, KVM_SET_USER_MEMORY_REGION, &region));
	outcome_value(o, pages_mapped() - before);
}

const struct op_type op_slot = {
	"slot", 90,
	{ "vm", "space", "id", "flags", "gpa", "pages", "hva", "file", "offset", "old" },
	slot_random, slot_model, slot_execute,
};

enum { GUEST_VM, GUEST_VCPU, GUEST_GPA, GUEST_N, GUEST_VALUE };

static void guest_random(struct prng *r, const struct model *m, long *arg)
{
	const struct slot *s;

	arg[GUEST_VM] = pick_open_vm(r, m);
	arg[GUEST_VCPU] = prng_below(r, m->vm[arg[GUEST_VM]].vcpus ?: 1);
	s = pick_slot(r, m, arg[GUEST_VM]);
	arg[GUEST_GPA] = s->gpa;
	arg[GUEST_N] = s->pages ?: 1;
	if (!prng_rarely(r, 3))
		pick_narrow(r, &arg[GUEST_GPA], &arg[GUEST_N]);
	if (prng_rarely(r, 12))
		arg[GUEST_N] += prng_below(r, 8);
	arg[GUEST_VALUE] = 1 + prng_below(r, 1000000);
}

/* The page that the guest has at the frame; NULL if there is none, and why. */
static uint64_t *guest_page(struct model *m, int vm, int gpa, int *reason)
{
	const struct slot *s = model_slot_at(&m->vm[vm], gpa);
	int index;

	*reason = KVM_EXIT_MEMORY_FAULT;
	if (private_is(&m->vm[vm], gpa))
		return NULL;
	*reason = KVM_EXIT_MMIO;
	if (!s)
		return NULL;
	if (!(s->flags & KVM_MEM_GUEST_MEMFD))
		return &m->vm[vm].plain[s->hva + gpa - s->gpa];
	*reason = KVM_EXIT_MEMORY_FAULT;
	if (s->file < 0)
		return NULL;
	index = s->file_page + gpa - s->gpa;
	model_allocate(m, 0, s->file, index, 0, m->file[s->file].pages);
	return &m->file[s->file].page[index].value;
}

static bool guest_is_predictable(const struct model *m, const long *arg)
{
	int i;

	for (i = 0; i < arg[GUEST_N]; i++) {
		if (private_is_reached(m, arg[GUEST_VM], arg[GUEST_GPA] + i))
			return false;
	}
	return true;
}

static bool guest_makes_sense(const struct model *m, const long *arg)
{
	const struct vm *vm = &m->vm[arg[GUEST_VM]];

	return vm->open && arg[GUEST_VCPU] >= 0 && arg[GUEST_VCPU] < vm->vcpus &&
	       arg[GUEST_GPA] >= 0 && arg[GUEST_N] > 0 &&
	       arg[GUEST_GPA] + arg[GUEST_N] <= 4 * limits.guest;
}

/* The exit that a guest fault ends with, and its address, in the form of guest_exit(). */
static void guest_fails(struct outcome *o, int reason, long gpa, int flags)
{
	bool mmio = reason == KVM_EXIT_MMIO;

	outcome_error(o, mmio ? ENOTRECOVERABLE : EFAULT);
	outcome_value(o, reason);
	outcome_value(o, VMM_TEST_GPA + gpa * PAGE);
	outcome_value(o, mmio ? sizeof(uint64_t) : PAGE);
	outcome_value(o, flags);
}

static void guest_model(struct model *m, const long *arg, struct outcome *o, bool write)
{
	uint64_t sum = 0;
	int i, reason;

	o->skip = !guest_makes_sense(m, arg) || !guest_is_predictable(m, arg);
	if (o->skip)
		return;
	for (i = 0; i < arg[GUEST_N]; i++) {
		uint64_t *p = guest_page(m, arg[GUEST_VM], arg[GUEST_GPA] + i, &reason);

		if (!p) {
			guest_fails(o, reason, arg[GUEST_GPA] + i,
				    reason == KVM_EXIT_MMIO && write);
			return;
		}
		if (write)
			*p = (uint64_t)arg[GUEST_VALUE] + i;
		sum = sum * WEIGHT + *p;
	}
	if (!write)
		outcome_value(o, sum);
}

static void guest_read_model(struct model *m, const long *arg, struct outcome *o)
{
	guest_model(m, arg, o, false);
}

static void guest_write_model(struct model *m, const long *arg, struct outcome *o)
{
	guest_model(m, arg, o, true);
}

static struct kvm_run *guest_run(const long *arg)
{
	return world.vm[arg[GUEST_VM]].vcpu[arg[GUEST_VCPU]].run;
}

/* Clears what an earlier exit left, which could be taken for the next exit's. */
static void guest_forget(const long *arg)
{
	struct kvm_run *run = guest_run(arg);

	run->exit_reason = KVM_EXIT_UNKNOWN;
	memset(&run->memory_fault, 0xff, sizeof(run->memory_fault));
}

/* On kernels that do not have KVM_EXIT_MEMORY_FAULT, the module puts its data at the same place. */
static void guest_exit(const long *arg, struct outcome *o)
{
	const struct kvm_run *run = guest_run(arg);
	bool mmio = run->exit_reason == KVM_EXIT_MMIO;

	outcome_value(o, run->exit_reason);
	outcome_value(o, mmio ? run->mmio.phys_addr : run->memory_fault.gpa);
	outcome_value(o, mmio ? run->mmio.len : run->memory_fault.size);
	outcome_value(o, mmio ? run->mmio.is_write : run->memory_fault.flags);
}

static void guest_outcome(const long *arg, struct outcome *o, long ret)
{
	outcome_call(o, ret);
	if (ret)
		guest_exit(arg, o);
}

static void guest_read_execute(const long *arg, struct outcome *o)
{
	uint64_t sum;

	guest_forget(arg);
	guest_outcome(arg, o, vmm_sum_weighted(&world.vm[arg[GUEST_VM]], arg[GUEST_VCPU],
					       VMM_TEST_GPA + arg[GUEST_GPA] * PAGE, arg[GUEST_N],
					       WEIGHT, &sum));
	if (!o->ret)
		outcome_value(o, sum);
}

static void guest_write_execute(const long *arg, struct outcome *o)
{
	guest_forget(arg);
	guest_outcome(arg, o, vmm_write_rising(&world.vm[arg[GUEST_VM]], arg[GUEST_VCPU],
					       VMM_TEST_GPA + arg[GUEST_GPA] * PAGE, arg[GUEST_N],
					       arg[GUEST_VALUE], 1));
}

const struct op_type op_guest_read = {
	"guest-read", 60, { "vm", "vcpu", "gpa", "pages" },
	guest_random, guest_read_model, guest_read_execute,
};

const struct op_type op_guest_write = {
	"guest-write", 80, { "vm", "vcpu", "gpa", "pages", "value" },
	guest_random, guest_write_model, guest_write_execute,
};

/* Shared frames of private slots are memory of the host, which is not modelled. */
static bool prefault_is_predictable(const struct model *m, const long *arg)
{
	const struct vm *vm = &m->vm[arg[GUEST_VM]];
	int i;

	for (i = 0; i < arg[GUEST_N] && vm->private; i++) {
		const struct slot *s = model_slot_at(vm, arg[GUEST_GPA] + i);

		if (s && s->flags & KVM_MEM_GUEST_MEMFD && !private_is(vm, arg[GUEST_GPA] + i))
			return false;
	}
	return true;
}

/* The call knows which frames are private, where a guest's access does not. */
static bool prefault_private(struct model *m, const long *arg, long gpa)
{
	const struct slot *s = model_slot_at(&m->vm[arg[GUEST_VM]], gpa);

	return s && s->flags & KVM_MEM_GUEST_MEMFD && !private_page_get(m, 0, arg[GUEST_VM], gpa);
}

static bool prefault_page(struct model *m, const long *arg, long gpa, struct outcome *o)
{
	int reason;

	if (private_is(&m->vm[arg[GUEST_VM]], gpa)) {
		if (prefault_private(m, arg, gpa))
			return true;
		guest_fails(o, KVM_EXIT_MEMORY_FAULT, gpa, KVM_MEMORY_EXIT_FLAG_PRIVATE);
		return false;
	}
	if (guest_page(m, arg[GUEST_VM], gpa, &reason))
		return true;
	if (reason == KVM_EXIT_MMIO)
		outcome_error(o, ENOENT);
	else
		guest_fails(o, reason, gpa, 0);
	return false;
}

static void prefault_model(struct model *m, const long *arg, struct outcome *o)
{
	int i;

	o->skip = !guest_makes_sense(m, arg) || !kernel.prefault ||
		  !prefault_is_predictable(m, arg);
	if (o->skip)
		return;
	for (i = 0; i < arg[GUEST_N]; i++) {
		if (!prefault_page(m, arg, arg[GUEST_GPA] + i, o))
			return;
	}
}

/* Some kernels pre-fault for ever if a slot was deleted since the vCPU last ran. */
static void prefault_execute(const long *arg, struct outcome *o)
{
	must(!vmm_halt(&world.vm[arg[GUEST_VM]], arg[GUEST_VCPU]));
	guest_forget(arg);
	outcome_call(o, vmm_prefault(&world.vm[arg[GUEST_VM]], arg[GUEST_VCPU],
				     VMM_TEST_GPA + arg[GUEST_GPA] * PAGE,
				     arg[GUEST_N] * PAGE));
	if (o->err == EFAULT)
		guest_exit(arg, o);
}

const struct op_type op_prefault = {
	"prefault", 15, { "vm", "vcpu", "gpa", "pages" },
	guest_random, prefault_model, prefault_execute,
};

/*
 * In MHz above the host's frequency. That differs from boot to boot, so with an absolute value in
 * kHz, a seed gave another sequence in each boot. 0 leaves the frequency to KVM.
 */
static void tsc_random(struct prng *r, const struct model *m, long *arg)
{
	arg[0] = pick_open_vm(r, m);
	arg[1] = prng_rarely(r, 2) ? 0 : 1 + prng_below(r, 3);
}

static long tsc_khz(long mhz_above)
{
	return mhz_above ? kernel.tsc_khz + 1000 * mhz_above : 0;
}

static void tsc_vm_model(struct model *m, const long *arg, struct outcome *o)
{
	struct vm *vm = &m->vm[arg[0]];
	bool gate = kernel.tsc_gate_native || (m->loaded && m->tsc_gate);

	o->skip = !vm->open || arg[1] < 0 || arg[1] > 1000;
	if (o->skip)
		return;
	if (gate && vm->vcpus)
		outcome_error(o, EINVAL);
	else
		vm->tsc_khz = tsc_khz(arg[1]) ?: kernel.tsc_khz;
}

static void tsc_vm_execute(const long *arg, struct outcome *o)
{
	outcome_call(o, ioctl(world.vm[arg[0]].fd, KVM_SET_TSC_KHZ, tsc_khz(arg[1])));
}

const struct op_type op_tsc_vm = {
	"tsc-vm", 10, { "vm", "mhz-above" }, tsc_random, tsc_vm_model, tsc_vm_execute,
};

static void tsc_vcpu_random(struct prng *r, const struct model *m, long *arg)
{
	arg[0] = pick_open_vm(r, m);
	arg[1] = prng_below(r, VCPUS);
	arg[2] = prng_below(r, 4);
}

/* A vCPU whose TSC is not protected must always be allowed to set it. */
static void tsc_vcpu_model(struct model *m, const long *arg, struct outcome *o)
{
	struct vm *vm = &m->vm[arg[0]];

	o->skip = !vm->open || arg[1] < 0 || arg[1] >= vm->vcpus || arg[2] < 0 || arg[2] > 1000;
	if (!o->skip)
		vm->vcpu_khz[arg[1]] = tsc_khz(arg[2]) ?: kernel.tsc_khz;
}

static void tsc_vcpu_execute(const long *arg, struct outcome *o)
{
	outcome_call(o, ioctl(world.vm[arg[0]].vcpu[arg[1]].fd, KVM_SET_TSC_KHZ, tsc_khz(arg[2])));
}

const struct op_type op_tsc_vcpu = {
	"tsc-vcpu", 4, { "vm", "vcpu", "mhz-above" },
	tsc_vcpu_random, tsc_vcpu_model, tsc_vcpu_execute,
};

static void tsc_gate_random(struct prng *r, const struct model *m, long *arg)
{
	arg[0] = prng_below(r, 2);
}

static void tsc_gate_model(struct model *m, const long *arg, struct outcome *o)
{
	o->skip = !m->loaded;
	if (!o->skip)
		m->tsc_gate = arg[0];
}

static void tsc_gate_execute(const long *arg, struct outcome *o)
{
	module_parameter("tsc_gate", arg[0] ? "Y" : "N");
}

const struct op_type op_tsc_gate = {
	"tsc-gate", 3, { "on" }, tsc_gate_random, tsc_gate_model, tsc_gate_execute,
};
