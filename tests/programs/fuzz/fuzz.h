/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fuzzer: sequences of calls, and a model that says what each of them must do.
 *
 *	model.c		files, pages, VMs, processes, and which object keeps which alive
 *	mempolicy.c	NUMA policies: what is refused, and where a page comes from
 *	vma.c		the mappings of a process, split and merged as the kernel does
 *	touch.c		a page is touched through a mapping
 *	private.c	private pages of VMs: where they come from, and what becomes of them
 *	op_*.c		the operations: each with its random arguments, its model, and the call
 *	world.c		the processes in which operations are executed
 *	check.c		compares what exists with the model
 *	check_private.c	the same for private pages, which nobody can map
 *	sequence.c	sequences: generate, change, print, read
 *	run.c		runs one sequence in its own process
 *	shrink.c	finds fewer operations that fail in the same way
 *	kcov.c		which code of the module a sequence reached
 *	main.c		runs sequences for a given time, and prints the results
 *
 * The model and the current sequence are in memory that all processes share: whichever process
 * sees a page compares it with the model, and tells the model what it could not know.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <linux/mempolicy.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "../huge.h"
#include "../numa.h"
#include "../private.h"
#include "../prng.h"
#include "../tap.h"
#include "../vmm.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define PROCS		2	/* the second is forked from the first */
#define VMS		2
#define VCPUS		2	/* of a VM */
#define SPACES		2	/* address spaces of a VM; the guest sees the first */
#define SLOTS		5	/* numbers 1 and up, of an address space */
#define FILES		4
#define FILE_PAGES	1280	/* the most that limits.file can be */
#define POLICY_PAGES	2048	/* and limits.policy */
#define ARENA_PAGES	3072	/* and limits.arena */
#define MAPPINGS	192	/* of a process */
#define ARENA		0x200000000000UL
#define HOST_PAGES	48	/* memory that shared halves of private slots can be in */
#define HOST		0x210000000000UL
#define ATTRIBUTES	192	/* guest frames that can be private: slots reach no further */
#define PLAIN_PAGES	32	/* ordinary memory for ordinary slots of a VM */
#define WEIGHT		31	/* of a page over the next in a sum: detects swapped pages */

#define ARGS		10
#define SEQUENCE	64	/* operations, at most */

/* How far numbers of pages go. Folios of 2 MiB need more room, and then each step takes longer. */
struct limits {
	int file;	/* pages of the largest file */
	int offset;	/* of a mapping in the file */
	int policy;	/* policies exist for pages behind the end, too */
	int arena;	/* where files are mapped: at the same address in each process */
	int guest;	/* guest frames in use, from VMM_TEST_GPA on */
};

extern struct limits limits;

/* --- what the model knows */

/* MPOL_DEFAULT stands for no policy. */
struct policy {
	int mode, flags;	/* MPOL_F_STATIC_NODES and the like */
	unsigned long user;	/* as user space gave them; reported if a flag says so */
	unsigned long nodes;
	int home;		/* or -1 */
};

struct page {
	bool present;
	bool fresh;		/* new in this step: must be all zero */
	int node;		/* or NODE_ANY: one of @nodes, still to be learnt */
	unsigned long nodes;
	uint64_t value;		/* its first 8 bytes */
	bool prepared;		/* the guest's: cleared, and in the RMP */
	int gfn;		/* which it has in the RMP */
};

#define NODE_ANY (-1)

/* The parameter of the module. */
enum { HUGE_NEVER, HUGE_ADVISE, HUGE_WITHIN_SIZE, HUGE_ALWAYS, HUGE_WORDS };

/* What 2 MiB of a file consist of. */
enum { FOLIOS_SMALL, FOLIOS_HUGE, FOLIOS_UNSURE };

struct file {
	bool alive;		/* a descriptor or a mapping is left */
	bool kvms_own;		/* made by KVM, not by the module */
	bool noted;		/* by the module: pages are placed by policy */
	int vm;
	int pages;
	uint64_t flags;
	int huge;		/* the parameter when it was created */
	char folios[FILE_PAGES / HUGE_PAGES];
	struct page page[FILE_PAGES];
	struct policy policy[POLICY_PAGES];
	int range[POLICY_PAGES];	/* as it was set: policies that are equal may be two ranges */
};

struct slot {
	int pages;		/* 0: no such slot */
	int gpa, hva;
	uint32_t flags;
	int file;		/* of a bound slot; -1 once the file is closed */
	int file_page;
};

struct vm {
	bool open, inherited;	/* by the second process */
	bool alive;		/* open, or kept by a file */
	bool private;		/* has private memory */
	bool attribute[ATTRIBUTES];	/* the frame is private */
	int vcpus;
	long tsc_khz;		/* of vCPUs created later */
	long vcpu_khz[VCPUS];
	struct slot slot[SPACES][SLOTS];
	uint64_t plain[PLAIN_PAGES];
};

enum {
	VMA_LOCKED = 1,
	VMA_DONTFORK = 2,
	VMA_SEQUENTIAL = 4,
	VMA_RANDOM = 8,
	VMA_HUGE = 16,
	VMA_NOHUGE = 32,
};

struct vma {
	int start, end;		/* pages of the arena */
	int file;
	int off;		/* in pages */
	int prot;
	unsigned int flags;
	struct policy policy;	/* as set through this mapping */
};

struct process {
	bool alive;
	int node;		/* of the CPU that it runs on */
	struct policy policy;
	bool open[FILES];
	int vmas;
	struct vma vma[MAPPINGS];
};

/* Memory of the first process, mapped as a whole, and then moved and unmapped in parts. */
enum {
	HOST_NONE,
	HOST_MEMFD,
	HOST_ANONYMOUS,
	HOST_TOUCHED,		/* anonymous, and every page was touched: its offsets are fixed */
	HOST_KINDS,
};

struct host_page {
	int kind;
	long index;		/* page offset by which core mm interleaves; of a memfd, in the file */
	struct policy policy;
};

struct model {
	bool loaded, tsc_gate;
	bool private_policy;	/* the parameter */
	int huge;		/* the parameter */
	int ranges;		/* of policies, that were ever set */
	bool noted_any;		/* a file was noted since the module was loaded */
	struct host_page host[HOST_PAGES];
	long host_inode;	/* of the memfd; not known before it is created */
	int weight[NODES];
	struct process process[PROCS];
	struct vm vm[VMS];
	struct file file[FILES];
};

/* What differs between kernels, found out by trying it without the module. */
struct kernel {
	bool npt, prefault, weights, remove_needs_write, balancing_many;
	bool populate_passes_holes;	/* MADV_POPULATE_* go on behind a hole */
	bool tsc_gate_native;
	bool kvms_own_files;	/* files without flags are KVM's own */
	bool private;		/* VMs can have private memory, by way of private_mem.ko */
	bool populate, rmp;	/* such memory can be populated; pages are prepared, and seen in the RMP */
	int unloaded_create, unloaded_bind;	/* errno */
	long tsc_khz;
	int cpu[NODES];
	int huge;		/* the parameter with which the module is loaded */
	bool huge_mappings;	/* guests can have mappings of 2 MiB */
};

extern struct kernel kernel;

/* --- operations */

#define VALUES 32

/* What a call does: its result, and the values that it returns. */
struct outcome {
	bool skip;		/* makes no sense now, so is not executed */
	long ret;
	int err;		/* errno, where ret is -1; of touches, the signal */
	bool at_least;		/* ret may be larger */
	int values;
	int64_t value[VALUES];
};

struct op {
	int type;
	long arg[ARGS];
};

struct op_type {
	const char *name;
	int weight;
	const char *arg[ARGS];
	void (*random)(struct prng *r, const struct model *m, long *arg);
	void (*model)(struct model *m, const long *arg, struct outcome *o);
	void (*execute)(const long *arg, struct outcome *o);
	bool in_process;	/* executed by the process arg[0]; else by the first */
};

#define ANY INT64_MIN	/* a value that the model cannot predict */

extern const struct op_type *const op_types[];
extern const int op_types_count;

extern const struct op_type op_create, op_close, op_fallocate;
extern const struct op_type op_mmap, op_munmap, op_mremap, op_mprotect, op_mlock, op_munlock;
extern const struct op_type op_madvise, op_read, op_write;
extern const struct op_type op_mbind, op_home_node, op_get_mempolicy, op_set_mempolicy, op_weight;
extern const struct op_type op_cpu, op_move_pages, op_migrate_pages;
extern const struct op_type op_vm, op_vm_close, op_vcpu, op_slot, op_guest_read, op_guest_write;
extern const struct op_type op_prefault, op_tsc_vm, op_tsc_vcpu, op_tsc_gate;
extern const struct op_type op_host_map, op_host_unmap, op_host_move, op_host_mbind;
extern const struct op_type op_make, op_attributes, op_get_page, op_populate, op_private_policy;
extern const struct op_type op_fork, op_exit, op_unload, op_load, op_huge;

static inline void outcome_error(struct outcome *o, int err)
{
	o->ret = err ? -1 : 0;
	o->err = err;
}

/* Records what a system call returned. */
static inline void outcome_call(struct outcome *o, long ret)
{
	o->ret = ret;
	o->err = ret == -1 ? errno : 0;
}

static inline void outcome_value(struct outcome *o, int64_t value)
{
	must(o->values < VALUES);
	o->value[o->values++] = value;
}

/* model.c */
void model_start(struct model *m);
void model_copy(struct model *to, const struct model *from);
bool model_file_is_mapped(const struct model *m, int file);
void model_settle(struct model *m);
int model_references(const struct model *m);
bool model_has_private_vm(const struct model *m);
const struct slot *model_slot_at(const struct vm *vm, int gpa);
void model_punch(struct model *m, int file, long first, long end);
void model_allocate(struct model *m, int proc, int file, int index, int first, int end);
bool model_can_map(const struct file *f);
bool model_shares(const struct file *f);
int model_mapcount(const struct model *m, int file, int index);

/* private.c */
bool private_is(const struct vm *vm, int gpa);
bool private_is_reached(const struct model *m, int vm, int gpa);
int private_page_get(struct model *m, int proc, int vm, int gpa);
long private_pages_populate(struct model *m, int proc, int vm, int gpa, long n, bool source);
void private_allocate(struct model *m, int proc, int file, int index);
void private_forget(struct model *m);

/* mempolicy.c */
bool policy_equal(const struct policy *a, const struct policy *b);
int policy_read(int mode, unsigned long nodes, unsigned long maxnode, unsigned long *user);
int policy_make(int mode, unsigned long nodes, unsigned long maxnode, struct policy *p,
		unsigned long *user);
unsigned long policy_place(const struct model *m, const struct policy *p, int local, long index);
extern const struct policy policy_none;

/* pick.c */
int pick_process(struct prng *r, const struct model *m);
int pick_open_file(struct prng *r, const struct model *m, int proc);
int pick_open_vm(struct prng *r, const struct model *m);
void pick_mapping(struct prng *r, const struct process *p, long *page, long *n);
void pick_span(struct prng *r, const struct model *m, int proc, long *page, long *n);
void pick_file_span(struct prng *r, const struct model *m, int file, long *first, long *n);
void pick_narrow(struct prng *r, long *first, long *n);
void pick_whole_folios(struct prng *r, const struct model *m, int file, long *first, long *n);
int pick_private_vm(struct prng *r, const struct model *m);
const struct slot *pick_slot(struct prng *r, const struct model *m, int vm);
void pick_slot_span(struct prng *r, const struct model *m, int vm, long *gpa, long *n);
void pick_private_span(struct prng *r, const struct model *m, int vm, long *gpa, long *n);
void pick_policy(struct prng *r, long *mode, long *nodes, long *maxnode);
void pick_odd(struct prng *r, const long *odd, int n, long *arg);
bool in_arena(long page, long n);
long pick_congruent(struct prng *r, long page, long limit);

/* vma.c */
struct vma *vma_find(struct process *p, int page);
const struct vma *vma_at(const struct process *p, int page);
int vma_next(const struct process *p, int page);
void vma_unmap(struct process *p, int start, int end);
void vma_add(struct process *p, struct vma v);
const struct vma *vma_change(struct process *p, int start, int end, const struct vma *to);

/* touch.c */
int touch_page(struct model *m, int proc, int page, bool write, uint64_t value);
bool touch_is_mapped(const struct model *m, int proc, int page);
int populate(struct model *m, int proc, int start, int end);
int populate_advice(struct model *m, int proc, int start, int end, bool write);
int signal_of(void (*f)(void *arg), void *arg);

/* world.c */

/* What a process works with. The second process has a copy, made by fork(). */
struct world {
	int fd[FILES];
	struct stat id[FILES];	/* of the newest file of each number, even if it is gone */
	struct vmm vm[VMS];
	char *plain[VMS];
};

extern struct world world;

void world_start(void);
void world_stop(void);
void world_execute(const struct op *op, struct outcome *o);
void world_fork(void);
void world_exit(void);
int module_load(void);
int module_unload(void);
bool module_loaded(void);
long module_references(void);
void module_parameter(const char *name, const char *value);
extern const char *const huge_words[HUGE_WORDS];

static inline char *arena(int page)
{
	return (char *)ARENA + (long)page * PAGE;
}

static inline char *host_memory(int page)
{
	return (char *)HOST + (long)page * PAGE;
}

/* userspace_addr of slots: none, a page of the VM's ordinary memory, of the arena, or of the host's. */
#define HVA_NONE (-1)
#define HVA_ARENA 1000
#define HVA_HOST 2000

/* check.c */
bool check_process(int proc);
void check_done(void);
bool check_all(void);

/* check_private.c */
void check_private_start(void);
bool check_private(void);

/* sequence.c */
struct sequence {
	int n;
	struct op op[SEQUENCE];
};

void sequence_generate(struct sequence *s, uint64_t seed);
void sequence_mutate(struct sequence *s, const struct sequence *other, struct prng *r);
void sequence_print(const struct sequence *s);
bool sequence_read(struct sequence *s, const char *path);
uint64_t sequence_hash(const struct sequence *s, uint64_t hash);
int op_text(const struct op *op, char *text, size_t size);

/* run.c */

#define COVER_BITS 16

/* Everything that the processes share. */
struct shared {
	struct model model;
	struct sequence sequence;
	int step;		/* the current one, or the one that failed */
	bool failed;
	char why[1024];
	const char *kind;	/* of failure: the format of the text */
	uint64_t steps;
	/* What checks found, added up: */
	uint64_t huge;		/* folios of 2 MiB */
	uint64_t guest_huge;	/* guests' mappings of 2 MiB */
	/* to the second process and back */
	struct op op;
	struct outcome outcome;
	bool check, checked;
	uint8_t cover[1 << COVER_BITS];
};

extern struct shared *shared;

void failure(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
bool run_sequence(const struct sequence *s);

/* shrink.c */
void shrink(struct sequence *s, int seconds);

/* kcov.c */
bool kcov_open(void);
void kcov_begin(void);
void kcov_end(void);

#endif /* FUZZ_H */
