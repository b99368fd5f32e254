// SPDX-License-Identifier: GPL-2.0-only
/* fork() and exit; loading and unloading the module; its parameter huge. */
#include "fuzz.h"

static void no_random(struct prng *r, const struct model *m, long *arg)
{
}

/* The child's mappings are the parent's, except those with VMA_DONTFORK, and none is locked. */
static void fork_mappings(struct process *child)
{
	int i, n = 0;

	for (i = 0; i < child->vmas; i++) {
		if (child->vma[i].flags & VMA_DONTFORK)
			continue;
		child->vma[n] = child->vma[i];
		child->vma[n++].flags &= ~VMA_LOCKED;
	}
	child->vmas = n;
}

static void fork_model(struct model *m, const long *arg, struct outcome *o)
{
	int i;

	o->skip = m->process[1].alive;
	if (o->skip)
		return;
	m->process[1] = m->process[0];
	fork_mappings(&m->process[1]);
	for (i = 0; i < VMS; i++)
		m->vm[i].inherited = m->vm[i].open;
}

static void fork_execute(const long *arg, struct outcome *o)
{
	world_fork();
}

const struct op_type op_fork = { "fork", 8, {}, no_random, fork_model, fork_execute };

static void exit_model(struct model *m, const long *arg, struct outcome *o)
{
	int i;

	o->skip = !m->process[1].alive;
	if (o->skip)
		return;
	memset(&m->process[1], 0, sizeof(m->process[1]));
	for (i = 0; i < VMS; i++)
		m->vm[i].inherited = false;
	model_settle(m);
}

static void exit_execute(const long *arg, struct outcome *o)
{
	world_exit();
}

const struct op_type op_exit = { "exit", 6, {}, no_random, exit_model, exit_execute };

static void unload_model(struct model *m, const long *arg, struct outcome *o)
{
	o->skip = !m->loaded;
	if (o->skip)
		return;
	if (model_references(m)) {
		outcome_error(o, EWOULDBLOCK);
		return;
	}
	m->loaded = false;
	private_forget(m);
}

static void unload_execute(const long *arg, struct outcome *o)
{
	outcome_call(o, module_unload());
}

const struct op_type op_unload = { "unload", 4, {}, no_random, unload_model, unload_execute };

static void load_model(struct model *m, const long *arg, struct outcome *o)
{
	o->skip = m->loaded;
	if (o->skip)
		return;
	m->loaded = true;
	m->tsc_gate = true;
	m->private_policy = true;
	m->huge = kernel.huge;
}

static void load_execute(const long *arg, struct outcome *o)
{
	outcome_call(o, module_load());
}

const struct op_type op_load = { "load", 30, {}, no_random, load_model, load_execute };

const char *const huge_words[HUGE_WORDS] = { "never", "advise", "within_size", "always" };

/* Mostly back to what the module was loaded with. */
static void huge_random(struct prng *r, const struct model *m, long *arg)
{
	arg[0] = m->huge != kernel.huge && !prng_rarely(r, 3) ? kernel.huge : (long)prng_below(r, HUGE_WORDS);
}

static void huge_model(struct model *m, const long *arg, struct outcome *o)
{
	o->skip = !m->loaded || !kernel.huge || arg[0] < 0 || arg[0] >= HUGE_WORDS;
	if (!o->skip)
		m->huge = arg[0];
}

static void huge_execute(const long *arg, struct outcome *o)
{
	module_parameter("huge", huge_words[arg[0]]);
}

const struct op_type op_huge = { "huge", 5, { "word" }, huge_random, huge_model, huge_execute };
