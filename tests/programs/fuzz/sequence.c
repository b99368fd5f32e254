// SPDX-License-Identifier: GPL-2.0-only
/* Sequences: generated from a seed, changed, printed and read. */
#include <linux/falloc.h>
#include <sys/mman.h>

#include "fuzz.h"

const struct op_type *const op_types[] = {
	&op_vm, &op_vm_close, &op_vcpu, &op_create, &op_close, &op_fallocate,
	&op_mmap, &op_munmap, &op_mremap, &op_mprotect, &op_mlock, &op_munlock, &op_madvise,
	&op_read, &op_write,
	&op_mbind, &op_home_node, &op_get_mempolicy, &op_set_mempolicy, &op_weight, &op_cpu,
	&op_move_pages, &op_migrate_pages,
	&op_slot, &op_guest_read, &op_guest_write, &op_prefault,
	&op_tsc_vm, &op_tsc_vcpu, &op_tsc_gate,
	&op_host_map, &op_host_unmap, &op_host_move, &op_host_mbind,
	&op_make, &op_attributes, &op_get_page, &op_populate, &op_private_policy,
	&op_fork, &op_exit, &op_unload, &op_load, &op_huge,
};

const int op_types_count = ARRAY_SIZE(op_types);

static int type_of(const struct op_type *t)
{
	int i;

	for (i = 0; i < op_types_count; i++) {
		if (op_types[i] == t)
			return i;
	}
	must(false);
}

static int any_type(struct prng *r)
{
	int i, total = 0, at;

	for (i = 0; i < op_types_count; i++)
		total += op_types[i]->weight;
	at = prng_below(r, total);
	for (i = 0; at >= op_types[i]->weight; i++)
		at -= op_types[i]->weight;
	return i;
}

static bool has_bound_slot(const struct vm *vm)
{
	int i;

	for (i = 0; i < SLOTS; i++) {
		if (vm->slot[0][i].pages && vm->slot[0][i].flags & KVM_MEM_GUEST_MEMFD)
			return true;
	}
	return false;
}

static bool has_file(const struct model *m, int vm)
{
	int i;

	for (i = 0; i < FILES; i++) {
		if (m->process[0].open[i] && m->file[i].vm == vm)
			return true;
	}
	return false;
}

/* What a VM with private memory lacks, or else what is done with such memory. */
static int next_private_type(struct prng *r, const struct model *m, int vm)
{
	static const struct op_type *const types[] = {
		&op_attributes, &op_attributes, &op_populate, &op_get_page, &op_get_page, &op_prefault,
		&op_fallocate, &op_fallocate, &op_host_mbind, &op_host_mbind, &op_host_move, &op_slot,
		&op_slot, &op_host_map, &op_fork,
	};

	if (!has_file(m, vm))
		return type_of(&op_create);
	if (m->host[0].kind == HOST_NONE && prng_rarely(r, 2))
		return type_of(&op_host_map);
	if (!has_bound_slot(&m->vm[vm]))
		return type_of(&op_slot);
	if (!m->vm[vm].vcpus)
		return type_of(&op_vcpu);
	return type_of(types[prng_below(r, ARRAY_SIZE(types))]);
}

/* What a VM lacks for a guest that touches 2 MiB, or else what makes a difference to these. */
static int next_huge_type(struct prng *r, const struct model *m, int vm)
{
	static const struct op_type *const types[] = {
		&op_guest_write, &op_guest_write, &op_guest_read, &op_prefault, &op_fallocate, &op_fallocate,
		&op_madvise, &op_write, &op_mmap, &op_mbind, &op_slot, &op_cpu,
	};

	if (!has_file(m, vm))
		return type_of(&op_create);
	if (!has_bound_slot(&m->vm[vm]))
		return type_of(&op_slot);
	if (!m->vm[vm].vcpus)
		return type_of(&op_vcpu);
	return type_of(types[prng_below(r, ARRAY_SIZE(types))]);
}

/* Begins, in most cases, with what a VMM begins with. */
static int next_type(struct prng *r, const struct model *m)
{
	int i, files = 0, mappable = 0, private = pick_private_vm(r, m);
	int huge = kernel.huge ? pick_open_vm(r, m) : 0;

	for (i = 0; i < FILES; i++) {
		files += m->process[0].open[i];
		mappable += m->process[0].open[i] && model_can_map(&m->file[i]);
	}
	if (!m->vm[0].alive && !m->vm[1].alive && !prng_rarely(r, 10))
		return type_of(m->loaded ? &op_vm : &op_load);
	if (m->vm[private].open && m->vm[private].private && !prng_rarely(r, 4))
		return next_private_type(r, m, private);
	if (kernel.huge && m->vm[huge].open && prng_rarely(r, 2))
		return next_huge_type(r, m, huge);
	if (!files && !prng_rarely(r, 3))
		return type_of(&op_create);
	if (!m->process[0].vmas && mappable && !prng_rarely(r, 3))
		return type_of(&op_mmap);
	return any_type(r);
}

static bool op_is(const struct op *op, const struct op_type *t)
{
	return op_types[op->type] == t;
}

/*
 * Uses the span of pages of a process that the last operation was about, so that its effect shows.
 */
static void follow_span(struct prng *r, const struct op *last, long pages, struct op *op)
{
	static const long advices[] = { MADV_REMOVE, MADV_REMOVE, MADV_POPULATE_READ,
					MADV_POPULATE_WRITE };
	bool removed = op_is(last, &op_madvise);

	op->type = type_of(removed || prng_rarely(r, 3) ? &op_write : &op_madvise);
	op->arg[0] = last->arg[0];
	op->arg[1] = last->arg[1];
	op->arg[2] = pages;
	op->arg[3] = op_is(op, &op_write) ? 1 + (long)prng_below(r, 1000) :
					 advices[prng_below(r, ARRAY_SIZE(advices))];
}

/* As a VMM does that wants 2 MiB. */
static void follow_mmap(const struct op *last, struct op *op)
{
	*op = (struct op){ .type = type_of(&op_madvise),
			   .arg = { last->arg[0], last->arg[2], (last->arg[3] + PAGE - 1) / PAGE,
				    MADV_HUGEPAGE } };
}

static bool is_open(const struct model *m, int file)
{
	return m->process[0].open[file] || m->process[1].open[file];
}

/* Unmap a mapping that is the only reference to a file: no process has the file open. */
static bool follow_with_munmap(const struct model *m, struct op *op)
{
	int i, proc;

	for (proc = 0; proc < PROCS; proc++) {
		const struct process *p = &m->process[proc];

		for (i = 0; p->alive && i < p->vmas; i++) {
			if (is_open(m, p->vma[i].file))
				continue;
			op->type = type_of(&op_munmap);
			op->arg[0] = proc;
			op->arg[1] = p->vma[i].start;
			op->arg[2] = p->vma[i].end - p->vma[i].start;
			return true;
		}
	}
	return false;
}

/* Close in the second process the file that the first process has just closed. */
static bool follow_with_close(const struct model *m, const struct op *last, struct op *op)
{
	if (!op_is(last, &op_close) || !m->process[1].alive || !m->process[1].open[last->arg[1]])
		return false;
	op->type = type_of(&op_close);
	op->arg[0] = 1;
	op->arg[1] = last->arg[1];
	return true;
}

/* A closed file should go away: drop everything that keeps it, and then let the guest access it. */
static void follow_close(struct prng *r, const struct model *m, const struct op *last, struct op *op)
{
	if (follow_with_close(m, last, op) || follow_with_munmap(m, op))
		return;
	op->type = type_of(&op_guest_read);
	op_guest_read.random(r, m, op->arg);
}

/* Close the file whose page the guest has just mapped. */
static bool follow_guest(const struct model *m, const struct op *last, struct op *op)
{
	const struct slot *s = m->vm[last->arg[0]].slot[0];
	int i;

	for (i = 0; i < SLOTS; i++) {
		if (!s[i].pages || s[i].file < 0 || !(s[i].flags & KVM_MEM_GUEST_MEMFD) ||
		    !m->process[0].open[s[i].file] || last->arg[2] < s[i].gpa ||
		    last->arg[2] >= s[i].gpa + s[i].pages)
			continue;
		op->type = type_of(&op_close);
		op->arg[0] = 0;
		op->arg[1] = s[i].file;
		return true;
	}
	return false;
}

/* Lets pages of the frames be allocated, in one of four ways. */
static void follow_with_pages(struct prng *r, const struct model *m, long vm, long gpa, long n,
			      struct op *op)
{
	static const struct op_type *const ways[] = { &op_populate, &op_get_page, &op_prefault };
	const struct slot *s = model_slot_at(&m->vm[vm], gpa);

	op->type = type_of(ways[prng_below(r, ARRAY_SIZE(ways))]);
	op->arg[0] = pick_process(r, m);
	op->arg[1] = vm;
	op->arg[2] = gpa;
	op->arg[3] = n;
	if (op_is(op, &op_get_page)) {
		op->arg[2] = gpa + prng_below(r, n);
		op->arg[3] = 0;
	} else if (op_is(op, &op_prefault)) {
		op->arg[0] = vm;
		op->arg[1] = 0;
	}
	if (!s || s->file < 0 || !prng_rarely(r, 3))
		return;
	*op = (struct op){ .type = type_of(&op_fallocate),
			   .arg = { pick_process(r, m), s->file, FALLOC_FL_KEEP_SIZE, 0,
				    m->file[s->file].pages * PAGE } };
	/* The whole file, to which several slots may be bound, or none in places. */
	if (prng_rarely(r, 2))
		return;
	op->arg[3] = (s->file_page + gpa - s->gpa) * PAGE;
	op->arg[4] = n * PAGE;
}

/* After a new slot: make it private; after that, and after a policy or a hole: allocate pages. */
static bool follow_private(struct prng *r, const struct model *m, const struct op *last, struct op *op)
{
	long vm = pick_private_vm(r, m), gpa, n;

	if (!m->vm[vm].open || !m->vm[vm].private)
		return false;
	pick_private_span(r, m, vm, &gpa, &n);
	if (op_is(last, &op_host_map)) {
		op->type = type_of(&op_host_mbind);
		op_host_mbind.random(r, m, op->arg);
	} else if (op_is(last, &op_slot) && last->arg[0] == vm && prng_rarely(r, 2)) {
		*op = (struct op){ .type = type_of(&op_attributes),
				   .arg = { 0, vm, last->arg[4], last->arg[5],
					    KVM_MEMORY_ATTRIBUTE_PRIVATE } };
	} else if (op_is(last, &op_slot) || op_is(last, &op_host_mbind) || op_is(last, &op_host_move) ||
		   op_is(last, &op_fallocate)) {
		follow_with_pages(r, m, vm, gpa, n, op);
	} else if (op_is(last, &op_attributes) && last->arg[3]) {
		follow_with_pages(r, m, last->arg[1], last->arg[2], last->arg[3], op);
	} else {
		return false;
	}
	return true;
}

/*
 * Chooses an operation that uses the result of the last: new pages after a policy, a guest's
 * access after a new slot or a hole.
 */
static bool follow(struct prng *r, const struct model *m, const struct op *last, struct op *op)
{
	memset(op, 0, sizeof(*op));
	if (follow_private(r, m, last, op))
		return true;
	if (op_is(last, &op_mbind)) {
		follow_span(r, last, (last->arg[2] + PAGE - 1) / PAGE, op);
	} else if (op_is(last, &op_madvise) && last->arg[3] == MADV_REMOVE && !prng_rarely(r, 3)) {
		follow_span(r, last, last->arg[2], op);
	} else if (op_is(last, &op_mmap) && kernel.huge && !prng_rarely(r, 4)) {
		follow_mmap(last, op);
	} else if (op_is(last, &op_close) || op_is(last, &op_munmap)) {
		follow_close(r, m, last, op);
	} else if (op_is(last, &op_guest_write) && prng_rarely(r, 6)) {
		return follow_guest(m, last, op);
	} else if (op_is(last, &op_slot) || op_is(last, &op_fallocate) || op_is(last, &op_madvise)) {
		op->type = type_of(op_is(last, &op_slot) ? &op_guest_write : &op_guest_read);
		op_types[op->type]->random(r, m, op->arg);
	} else {
		return false;
	}
	return true;
}

/* An operation that makes sense after the earlier ones, which lead to the state @m. */
static void generate_op(struct prng *r, struct model *m, const struct op *last, struct op *op)
{
	static struct model before;
	struct outcome o;

	do {
		model_copy(&before, m);
		memset(&o, 0, sizeof(o));
		if (!last || prng_rarely(r, 3) || !follow(r, m, last, op)) {
			memset(op, 0, sizeof(*op));
			op->type = next_type(r, m);
			op_types[op->type]->random(r, m, op->arg);
		}
		op_types[op->type]->model(m, op->arg, &o);
		if (o.skip)
			model_copy(m, &before);
	} while (o.skip);
}

void sequence_generate(struct sequence *s, uint64_t seed)
{
	struct prng r = prng_seed(seed);
	static struct model m;
	int i;

	model_start(&m);
	s->n = SEQUENCE / 4 + prng_below(&r, SEQUENCE * 3 / 4 + 1);
	for (i = 0; i < s->n; i++)
		generate_op(&r, &m, i ? &s->op[i - 1] : NULL, &s->op[i]);
}

/* Replaces what follows the first @keep operations by random ones. */
static void regrow(struct sequence *s, int keep, struct prng *r)
{
	static struct model m;
	struct outcome o;
	int i;

	model_start(&m);
	for (i = 0; i < keep; i++) {
		memset(&o, 0, sizeof(o));
		op_types[s->op[i].type]->model(&m, s->op[i].arg, &o);
	}
	s->n = keep + prng_below(r, SEQUENCE - keep + 1);
	for (; i < s->n; i++)
		generate_op(r, &m, i ? &s->op[i - 1] : NULL, &s->op[i]);
}

static void splice(struct sequence *s, const struct sequence *other, struct prng *r)
{
	int keep = prng_below(r, s->n + 1), from = prng_below(r, other->n + 1);

	s->n = keep;
	while (s->n < SEQUENCE && from < other->n)
		s->op[s->n++] = other->op[from++];
}

static void drop(struct sequence *s, struct prng *r)
{
	int at = prng_below(r, s->n);

	memmove(&s->op[at], &s->op[at + 1], (--s->n - at) * sizeof(s->op[0]));
}

static void insert(struct sequence *s, struct op op, struct prng *r)
{
	int at = prng_below(r, s->n + 1);

	if (s->n == SEQUENCE)
		return;
	memmove(&s->op[at + 1], &s->op[at], (s->n++ - at) * sizeof(s->op[0]));
	s->op[at] = op;
}

/*
 * Gives an operation other arguments that could have been generated; arguments for an early
 * operation are drawn with little state.
 */
static void reargue(struct sequence *s, struct prng *r)
{
	static struct model m;
	int at = prng_below(r, s->n), i;
	struct outcome o;

	model_start(&m);
	for (i = 0; i < at; i++) {
		memset(&o, 0, sizeof(o));
		op_types[s->op[i].type]->model(&m, s->op[i].arg, &o);
	}
	op_types[s->op[at].type]->random(r, &m, s->op[at].arg);
}

/* Changes the sequence, using parts of @other. */
void sequence_mutate(struct sequence *s, const struct sequence *other, struct prng *r)
{
	int changes = 1 + prng_below(r, 4);

	while (changes--) {
		if (!s->n) {
			*s = *other;
			return;
		}
		switch (prng_below(r, 6)) {
		case 0:
			splice(s, other, r);
			break;
		case 1:
			drop(s, r);
			break;
		case 2:
			insert(s, s->op[prng_below(r, s->n)], r);
			break;
		case 3:
			if (other->n)
				insert(s, other->op[prng_below(r, other->n)], r);
			break;
		case 4:
			reargue(s, r);
			break;
		default:
			regrow(s, prng_below(r, s->n + 1), r);
		}
	}
}

int op_text(const struct op *op, char *text, size_t size)
{
	const struct op_type *t = op_types[op->type];
	int len = snprintf(text, size, "%s", t->name), i;

	for (i = 0; i < ARGS && t->arg[i]; i++)
		len += snprintf(text + len, size - len, " %s=%ld", t->arg[i], op->arg[i]);
	return len;
}

void sequence_print(const struct sequence *s)
{
	char text[256];
	int i;

	for (i = 0; i < s->n; i++) {
		op_text(&s->op[i], text, sizeof(text));
		printf("#   %s\n", text);
	}
}

#define SPACE "\t\n "

static bool op_read_args(struct op *op, char **rest)
{
	const struct op_type *t = op_types[op->type];
	char *word;
	int i;

	while ((word = strtok_r(NULL, SPACE, rest))) {
		char *value = strchr(word, '=');

		if (!value)
			return false;
		*value++ = 0;
		for (i = 0; i < ARGS && t->arg[i] && strcmp(t->arg[i], word); i++)
			;
		if (i == ARGS || !t->arg[i])
			return false;
		op->arg[i] = strtol(value, NULL, 0);
	}
	return true;
}

static bool op_read_line(struct op *op, char *line)
{
	char *rest, *name = strtok_r(line, SPACE, &rest);

	memset(op, 0, sizeof(*op));
	for (op->type = 0; op->type < op_types_count; op->type++) {
		if (!strcmp(op_types[op->type]->name, name))
			return op_read_args(op, &rest);
	}
	return false;
}

/* Reads a printed sequence: one operation per line, with or without a leading #. */
bool sequence_read(struct sequence *s, const char *path)
{
	FILE *f = fopen(path, "r");
	char line[512];

	must(f);
	s->n = 0;
	while (fgets(line, sizeof(line), f)) {
		char *start = line + strspn(line, "#" SPACE);

		if (!*start)
			continue;
		if (s->n == SEQUENCE || !op_read_line(&s->op[s->n++], start)) {
			printf("# not understood: line %d\n", s->n);
			fclose(f);
			return false;
		}
	}
	fclose(f);
	return s->n > 0;
}

/* FNV-1a, to compare generated sequences. */
uint64_t sequence_hash(const struct sequence *s, uint64_t hash)
{
	const unsigned char *p = (const void *)s->op;
	size_t i;

	for (i = 0; i < s->n * sizeof(s->op[0]); i++)
		hash = (hash ^ p[i]) * 0x100000001b3ULL;
	return hash;
}
