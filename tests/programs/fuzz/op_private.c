// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private memory: KVM_SET_MEMORY_ATTRIBUTES, the ways in which a vendor module asks for pages, and
 * the parameter private_policy. Its files, slots and guests are in op_file.c and op_vm.c.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "fuzz.h"

static bool has_vm(const struct model *m, long proc, long vm)
{
	return m->process[proc].alive && (proc ? m->vm[vm].inherited : m->vm[vm].open);
}

/* The VM, or one without a descriptor. */
static struct vmm *vm_or_none(long vm, bool none)
{
	static struct vmm no_vm = { .fd = -1 };

	return none ? &no_vm : &world.vm[vm];
}

static void make_random(struct prng *r, const struct model *m, long *arg)
{
	arg[0] = pick_open_vm(r, m);
	arg[1] = prng_rarely(r, 4);
}

/* Each VM of ours has a slot already. */
static void make_model(struct model *m, const long *arg, struct outcome *o)
{
	o->skip = !model_has_private_vm(m) || !m->vm[arg[0]].open;
	outcome_error(o, arg[1] ? EBADF : EBUSY);
}

static void make_execute(const long *arg, struct outcome *o)
{
	outcome_call(o, private_make(vm_or_none(arg[0], arg[1])->fd));
}

const struct op_type op_make = { "make", 1, { "vm", "no-vm" }, make_random, make_model, make_execute };

enum { ATTR_PROC, ATTR_VM, ATTR_GPA, ATTR_PAGES, ATTR_VALUE, ATTR_ODD };

/* Arguments that are not allowed. */
enum { ODD_FLAGS = 1, ODD_ADDRESS, ODD_SIZE, ODD_END };

static void attributes_random(struct prng *r, const struct model *m, long *arg)
{
	arg[ATTR_PROC] = pick_process(r, m) && prng_rarely(r, 6);
	arg[ATTR_VM] = pick_private_vm(r, m);
	pick_slot_span(r, m, arg[ATTR_VM], &arg[ATTR_GPA], &arg[ATTR_PAGES]);
	if (prng_rarely(r, 30))
		arg[ATTR_PAGES] = 0;
	arg[ATTR_VALUE] = prng_rarely(r, 4) ? 0 : KVM_MEMORY_ATTRIBUTE_PRIVATE;
	if (prng_rarely(r, 30))
		arg[ATTR_VALUE] = 1L << prng_below(r, 6);
	arg[ATTR_ODD] = prng_rarely(r, 20) ? 1 + (long)prng_below(r, 4) : 0;
}

static int attributes_error(const struct model *m, const long *arg)
{
	long known = m->vm[arg[ATTR_VM]].private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0;

	if (arg[ATTR_PROC])
		return EIO;
	return arg[ATTR_ODD] || arg[ATTR_VALUE] & ~known || !arg[ATTR_PAGES] ? EINVAL : 0;
}

static void attributes_model(struct model *m, const long *arg, struct outcome *o)
{
	long i;
	int err;

	o->skip = !model_has_private_vm(m) || !has_vm(m, arg[ATTR_PROC], arg[ATTR_VM]) || arg[ATTR_GPA] < 0 ||
		  arg[ATTR_PAGES] < 0 || arg[ATTR_GPA] + arg[ATTR_PAGES] > ATTRIBUTES ||
		  arg[ATTR_ODD] < 0 || arg[ATTR_ODD] > ODD_END;
	if (o->skip)
		return;
	err = attributes_error(m, arg);
	outcome_error(o, err);
	for (i = 0; i < arg[ATTR_PAGES] && !err; i++)
		m->vm[arg[ATTR_VM]].attribute[arg[ATTR_GPA] + i] = arg[ATTR_VALUE];
}

static void attributes_execute(const long *arg, struct outcome *o)
{
	struct kvm_memory_attributes attributes = {
		.address = VMM_TEST_GPA + arg[ATTR_GPA] * PAGE,
		.size = arg[ATTR_PAGES] * PAGE,
		.attributes = arg[ATTR_VALUE],
		.flags = arg[ATTR_ODD] == ODD_FLAGS,
	};

	attributes.address += arg[ATTR_ODD] == ODD_ADDRESS;
	attributes.size += arg[ATTR_ODD] == ODD_SIZE;
	if (arg[ATTR_ODD] == ODD_END)
		attributes.size = -attributes.address;
	outcome_call(o, ioctl(world.vm[arg[ATTR_VM]].fd, KVM_SET_MEMORY_ATTRIBUTES, &attributes));
}

const struct op_type op_attributes = {
	"attributes", 25, { "process", "vm", "gpa", "pages", "attributes", "odd" },
	attributes_random, attributes_model, attributes_execute, .in_process = true,
};

enum { GET_PROC, GET_VM, GET_GPA, GET_NO_VM };

static void get_random(struct prng *r, const struct model *m, long *arg)
{
	long n;

	arg[GET_PROC] = pick_process(r, m);
	arg[GET_VM] = pick_private_vm(r, m);
	pick_private_span(r, m, arg[GET_VM], &arg[GET_GPA], &n);
	arg[GET_NO_VM] = prng_rarely(r, 40);
}

static int get_error(struct model *m, const long *arg)
{
	const struct vm *vm = &m->vm[arg[GET_VM]];
	const struct slot *s = model_slot_at(vm, arg[GET_GPA]);

	if (arg[GET_NO_VM])
		return EBADF;
	if (!vm->private || !s || !(s->flags & KVM_MEM_GUEST_MEMFD) || !private_is(vm, arg[GET_GPA]))
		return EINVAL;
	return private_page_get(m, arg[GET_PROC], arg[GET_VM], arg[GET_GPA]);
}

static void get_model(struct model *m, const long *arg, struct outcome *o)
{
	o->skip = !model_has_private_vm(m) || !has_vm(m, arg[GET_PROC], arg[GET_VM]) || arg[GET_GPA] < 0 ||
		  arg[GET_GPA] >= ATTRIBUTES;
	if (!o->skip)
		outcome_error(o, get_error(m, arg));
}

static void get_execute(const long *arg, struct outcome *o)
{
	outcome_call(o, private_get_page(vm_or_none(arg[GET_VM], arg[GET_NO_VM]),
					 VMM_TEST_GPA + arg[GET_GPA] * PAGE));
}

const struct op_type op_get_page = {
	"get-page", 25, { "process", "vm", "gpa", "no-vm" },
	get_random, get_model, get_execute, .in_process = true,
};

enum { POP_PROC, POP_VM, POP_GPA, POP_PAGES, POP_SOURCE, POP_NO_VM };

#define SOURCE_PAGES 64

enum { SOURCE_NONE, SOURCE_READABLE, SOURCE_UNMAPPED, SOURCE_UNALIGNED };

static void populate_random(struct prng *r, const struct model *m, long *arg)
{
	arg[POP_PROC] = pick_process(r, m);
	arg[POP_VM] = pick_private_vm(r, m);
	pick_private_span(r, m, arg[POP_VM], &arg[POP_GPA], &arg[POP_PAGES]);
	if (prng_rarely(r, 40))
		arg[POP_PAGES] = 0;
	arg[POP_SOURCE] = prng_rarely(r, 10) ? SOURCE_UNMAPPED + (long)prng_below(r, 2) :
					       (long)prng_below(r, 2);
	arg[POP_NO_VM] = prng_rarely(r, 40);
}

static long populate_result(struct model *m, const long *arg)
{
	if (arg[POP_NO_VM])
		return -EBADF;
	if (!m->vm[arg[POP_VM]].private || !arg[POP_PAGES] || arg[POP_SOURCE] == SOURCE_UNALIGNED)
		return -EINVAL;
	if (!kernel.populate)
		return -ENODEV;
	return private_pages_populate(m, arg[POP_PROC], arg[POP_VM], arg[POP_GPA], arg[POP_PAGES],
				      arg[POP_SOURCE] != SOURCE_UNMAPPED);
}

static void populate_model(struct model *m, const long *arg, struct outcome *o)
{
	long r;

	o->skip = !model_has_private_vm(m) || !has_vm(m, arg[POP_PROC], arg[POP_VM]) || arg[POP_GPA] < 0 ||
		  arg[POP_PAGES] < 0 || arg[POP_PAGES] > SOURCE_PAGES || arg[POP_SOURCE] < 0 ||
		  arg[POP_SOURCE] > SOURCE_UNALIGNED;
	if (o->skip)
		return;
	r = populate_result(m, arg);
	if (r < 0)
		outcome_error(o, -r);
	else
		o->ret = r;
}

static const char *source_of(long kind)
{
	static char readable[SOURCE_PAGES * PAGE] __attribute__((aligned(PAGE)));

	switch (kind) {
	case SOURCE_READABLE:
		return readable;
	case SOURCE_UNMAPPED:
		return host_memory(1 << 20);
	case SOURCE_UNALIGNED:
		return readable + 8;
	}
	return NULL;
}

static void populate_execute(const long *arg, struct outcome *o)
{
	outcome_call(o, private_populate(vm_or_none(arg[POP_VM], arg[POP_NO_VM]),
					 VMM_TEST_GPA + arg[POP_GPA] * PAGE, arg[POP_PAGES],
					 source_of(arg[POP_SOURCE])));
}

const struct op_type op_populate = {
	"populate", 20, { "process", "vm", "gpa", "pages", "source", "no-vm" },
	populate_random, populate_model, populate_execute, .in_process = true,
};

static void policy_random(struct prng *r, const struct model *m, long *arg)
{
	arg[0] = !m->private_policy || prng_rarely(r, 3);
}

static void policy_model(struct model *m, const long *arg, struct outcome *o)
{
	o->skip = !kernel.private || !m->loaded;
	if (!o->skip)
		m->private_policy = arg[0];
}

static void policy_execute(const long *arg, struct outcome *o)
{
	module_parameter("private_policy", arg[0] ? "Y" : "N");
}

const struct op_type op_private_policy = {
	"private-policy", 2, { "on" }, policy_random, policy_model, policy_execute,
};
