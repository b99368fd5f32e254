// SPDX-License-Identifier: GPL-2.0-only
/* Runs one sequence in its own process, from the empty state back to the empty state. */
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

struct shared *shared;

/* Only the first failure of a sequence counts. */
void failure(const char *fmt, ...)
{
	va_list ap;

	if (shared->failed)
		return;
	va_start(ap, fmt);
	vsnprintf(shared->why, sizeof(shared->why), fmt, ap);
	va_end(ap);
	shared->kind = fmt;
	shared->failed = true;
}

static int outcome_text(const struct outcome *o, char *text, size_t size)
{
	int len = snprintf(text, size, "%ld, errno %d (%s)", o->ret, o->err, strerror(o->err)), i;

	for (i = 0; i < o->values && len < (int)size; i++)
		len += snprintf(text + len, size - len, "%s%ld", i ? " " : ", values ", o->value[i]);
	return len;
}

static bool outcome_is(const struct outcome *got, const struct outcome *want)
{
	int i;

	if (got->err != want->err || got->values != want->values)
		return false;
	if (want->at_least ? got->ret < want->ret : got->ret != want->ret)
		return false;
	for (i = 0; i < want->values; i++) {
		if (want->value[i] != ANY && got->value[i] != want->value[i])
			return false;
	}
	return true;
}

static bool step(const struct op *op)
{
	struct outcome want = {}, got = {};
	char got_text[800], want_text[800];

	op_types[op->type]->model(&shared->model, op->arg, &want);
	if (want.skip)
		return true;
	world_execute(op, &got);
	shared->steps++;
	if (outcome_is(&got, &want))
		return check_all();
	outcome_text(&got, got_text, sizeof(got_text));
	outcome_text(&want, want_text, sizeof(want_text));
	failure("the call returns %s; the model %s", got_text, want_text);
	return false;
}

static bool step_type(const struct op_type *type, long arg0, long arg1)
{
	struct op op = { .arg = { arg0, arg1 } };

	while (op_types[op.type] != type)
		op.type++;
	return step(&op);
}

/* Removes everything that exists, in steps like any other. */
static bool tear_down(void)
{
	struct model *m = &shared->model;
	int i;

	if (!step_type(&op_exit, 0, 0) || !step_type(&op_set_mempolicy, 0, MPOL_DEFAULT))
		return false;
	for (i = 0; i < VMS; i++) {
		if (!step_type(&op_vm_close, i, 0))
			return false;
	}
	while (m->process[0].vmas) {
		struct op op = { .arg = { 0, m->process[0].vma[0].start,
					  m->process[0].vma[0].end - m->process[0].vma[0].start } };

		while (op_types[op.type] != &op_munmap)
			op.type++;
		if (!step(&op))
			return false;
	}
	for (i = 0; i < FILES; i++) {
		if (!step_type(&op_close, 0, i))
			return false;
	}
	for (i = 0; i < NODES; i++) {
		if (m->weight[i] != 1 && !step_type(&op_weight, i, 1))
			return false;
	}
	return step_type(&op_load, 0, 0) && (m->tsc_gate || step_type(&op_tsc_gate, 1, 0)) &&
	       (m->private_policy || step_type(&op_private_policy, 1, 0)) &&
	       (m->huge == kernel.huge || step_type(&op_huge, kernel.huge, 0));
}

static void run(void)
{
	const struct sequence *s = &shared->sequence;

	world_start();
	for (shared->step = 0; shared->step < s->n; shared->step++) {
		if (!step(&s->op[shared->step]))
			_exit(0);
	}
	tear_down();
	_exit(0);
}

/* Even if a sequence failed in the middle, the next must begin from the initial state. */
static void clean_up(void)
{
	int i;

	if (!module_loaded())
		must(!module_load());
	module_parameter("tsc_gate", "Y");
	module_parameter("private_policy", "Y");
	if (kernel.huge)
		module_parameter("huge", huge_words[kernel.huge]);
	for (i = 0; i < NODES && kernel.weights; i++) {
		struct outcome o = {};

		op_weight.execute((const long[ARGS]){ i, 1 }, &o);
	}
}

/* The tasks that held references are gone, or exiting. */
static void check_nothing_is_left(void)
{
	int i;

	for (i = 0; i < 3000 && (module_references() || (kernel.rmp && private_rmp().assigned)); i++)
		usleep(20000);
	if (kernel.rmp && private_rmp().assigned)
		failure("the RMP has %ld pages when all is gone", (long)private_rmp().assigned);
	if (module_references())
		failure("the module has %ld references when all is gone", module_references());
}

/**
 * run_sequence() - run a sequence, and return whether everything was as the model says
 * @s: the sequence; may be &shared->sequence
 *
 * If not, shared->step and shared->why say afterwards what was different.
 */
bool run_sequence(const struct sequence *s)
{
	int status;
	pid_t pid;

	if (s != &shared->sequence)
		shared->sequence = *s;
	model_start(&shared->model);
	shared->failed = false;
	fflush(stdout);
	pid = fork();
	must(pid >= 0);
	if (!pid)
		run();
	must(waitpid(pid, &status, 0) == pid);
	if (status)
		failure("the process ended with status %#x", status);
	if (shared->failed)
		clean_up();
	check_nothing_is_left();
	return !shared->failed;
}
