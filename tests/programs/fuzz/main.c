// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz SECONDS SEED [SEQUENCES]: runs random sequences of calls, and compares each with a model.
 * fuzz replay FILE: runs one sequence, in the form in which it was printed.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

struct kernel kernel;
struct limits limits = { .file = 24, .offset = 64, .policy = 192, .arena = 96, .guest = 48 };

#define CORPUS 512
#define SHRINK_SECONDS 60
#define PROGRESS_SECONDS 300

/* Sequences that reached code which no earlier sequence reached. */
static struct sequence corpus[CORPUS];
static int corpus_size;
static uint8_t covered[1 << COVER_BITS];
static int edges;

static int first_cpu(int node)
{
	char path[64];
	FILE *f;
	int cpu;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/cpulist", node);
	f = fopen(path, "r");
	must(f && fscanf(f, "%d", &cpu) == 1);
	fclose(f);
	return cpu;
}

/* Finds out how the kernel behaves before the module is loaded. */
static void survey_without_module(void)
{
	struct vmm vm;
	int fd;

	vmm_create(&vm, 0);
	fd = vmm_gmem_try(&vm, PAGE, VMM_GMEM_BOTH);
	kernel.unloaded_create = fd < 0 ? errno : 0;
	close(fd);
	fd = vmm_gmem_try(&vm, PAGE, 0);
	kernel.kvms_own_files = fd >= 0;
	close(fd);
	kernel.unloaded_bind = vmm_slot(&vm, 1, KVM_MEM_GUEST_MEMFD, VMM_TEST_GPA, PAGE, NULL, 0, 0) ?
			       errno : 0;
	kernel.tsc_khz = ioctl(vm.fd, KVM_GET_TSC_KHZ);
	vmm_add_vcpu(&vm);
	kernel.tsc_gate_native = ioctl(vm.fd, KVM_SET_TSC_KHZ, 0);
	vmm_destroy(&vm);
}

/*
 * Finds out what private memory there is, on one page. The model only knows guests that cannot
 * touch theirs.
 */
static void survey_private_memory(void)
{
	struct vmm vm;
	int fd;

	if (kernel.huge || !private_memory_exists() || !private_has_rmp())
		return;
	vmm_open(&vm);
	kernel.private = !private_make(vm.fd);
	vmm_start(&vm, 0);
	if (kernel.private) {
		fd = vmm_gmem(&vm, PAGE, 0);
		private_slot(&vm, 1, VMM_TEST_GPA, PAGE, NULL, fd, 0);
		private_set(&vm, VMM_TEST_GPA, PAGE, true);
		kernel.populate = private_populate(&vm, VMM_TEST_GPA, 1, NULL) == 1;
		must(!private_get_page(&vm, VMM_TEST_GPA));
		kernel.rmp = private_rmp().assigned;
		close(fd);
	}
	vmm_destroy(&vm);
}

static bool populate_passes_holes(void)
{
	int fd = memfd_create("survey", 0);
	unsigned char there;
	char *p;

	must(fd >= 0 && !ftruncate(fd, 2 * PAGE));
	p = vmm_map(fd, 2 * PAGE);
	must(!munmap(p, PAGE) && madvise(p, 2 * PAGE, MADV_POPULATE_WRITE));
	must(!mincore(p + PAGE, PAGE, &there) && !munmap(p + PAGE, PAGE));
	close(fd);
	return there & 1;
}

/* Finds out how core mm behaves, on ordinary memory. */
static void survey_mm(void)
{
	int fd = memfd_create("survey", 0), i;
	unsigned long node = 1;
	char *p;

	must(fd >= 0 && !ftruncate(fd, PAGE));
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	must(p != MAP_FAILED);
	kernel.remove_needs_write = madvise(p, PAGE, MADV_REMOVE);
	kernel.balancing_many = !mbind(p, PAGE, MPOL_PREFERRED_MANY | MPOL_F_NUMA_BALANCING, &node,
				       65, 0);
	kernel.populate_passes_holes = populate_passes_holes();
	kernel.weights = !access("/sys/kernel/mm/mempolicy/weighted_interleave", F_OK);
	munmap(p, PAGE);
	close(fd);
	for (i = 0; i < NODES; i++)
		kernel.cpu[i] = first_cpu(i);
}

/*
 * With GMEM_HUGE, files may have folios of 2 MiB, and several of them. VMs with private memory have none,
 * and are left to runs without it.
 */
static void choose_size(void)
{
	const char *word = getenv("GMEM_HUGE");
	int i;

	for (i = 0; word && i < HUGE_WORDS; i++) {
		if (!strcmp(word, huge_words[i]))
			kernel.huge = i;
	}
	if (kernel.huge)
		limits = (struct limits){ .file = FILE_PAGES, .offset = FILE_PAGES, .policy = POLICY_PAGES,
					  .arena = ARENA_PAGES, .guest = 8 * HUGE_PAGES };
}

static bool guests_map_huge(void)
{
	FILE *f = fopen("/sys/module/kvm_gmem_numa/features/huge_mappings", "re");
	char state[16] = "";

	must(!f || fscanf(f, "%15s", state) == 1);
	if (f)
		fclose(f);
	return !strcmp(state, "active");
}

static void survey(void)
{
	static struct vmm idle;

	must(!module_loaded());
	choose_size();
	survey_mm();
	survey_without_module();
	survey_private_memory();
	kernel.npt = vmm_host_has_npt();
	kernel.prefault = !vmm_prefault_error();
	must(!module_load());
	must(!kernel.huge || huge_asked());
	kernel.huge_mappings = kernel.npt && guests_map_huge();
	/*
	 * An idle VM keeps KVM enabled: enabling and disabling it takes longer than most
	 * sequences.
	 */
	vmm_create(&idle, 1);
	printf("# huge=%s; without the module: create fails with %d, bind with %d%s%s%s%s%s\n",
	       huge_words[kernel.huge], kernel.unloaded_create, kernel.unloaded_bind,
	       kernel.kvms_own_files ? "; KVM has files of its own" : "",
	       kernel.prefault ? "; it can prefault" : "",
	       kernel.private ? "; VMs can have private memory" : "",
	       kernel.private && !kernel.populate ? ", not populated" : "",
	       kernel.private && !kernel.rmp ? ", not prepared" : "");
}

/* Tells the kernel log which sequence is run, in case the kernel does not survive it. */
static void log_line(const char *line)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, line, strlen(line)) < 0)
		return;
}

static void log_sequence(const struct sequence *s, uint64_t seed, bool generated)
{
	char line[256];
	int i, len;

	snprintf(line, sizeof(line), "fuzz: sequence of seed %#lx%s\n", seed,
		 generated ? "" : ", changed:");
	log_line(line);
	for (i = 0; i < s->n && !generated; i++) {
		len = op_text(&s->op[i], line, sizeof(line) - 1);
		line[len] = '\n';
		line[len + 1] = 0;
		log_line(line);
	}
}

/* Keeps a sequence if it reached new code. */
static void learn(const struct sequence *s)
{
	int i, news = 0;

	for (i = 0; i < 1 << COVER_BITS; i++) {
		news += shared->cover[i] && !covered[i];
		covered[i] |= shared->cover[i];
	}
	edges += news;
	if (!news)
		return;
	corpus[corpus_size < CORPUS ? corpus_size++ : edges % CORPUS] = *s;
}

/*
 * With coverage, two of three sequences are derived from those that reached new code. Returns
 * false for these, true for a generated one.
 */
static bool choose(struct sequence *s, uint64_t seed)
{
	struct prng r = prng_seed(~seed);

	if (corpus_size < 8 || prng_rarely(&r, 3)) {
		sequence_generate(s, seed);
		return true;
	}
	*s = corpus[prng_below(&r, corpus_size)];
	sequence_mutate(s, &corpus[prng_below(&r, corpus_size)], &r);
	return false;
}

static void explain(const struct sequence *s)
{
	char text[256] = "removing everything at the end";

	if (shared->step < s->n)
		op_text(&s->op[shared->step], text, sizeof(text));
	printf("#   step %d: %s\n#   %s\n", shared->step, text, shared->why);
}

static void report(struct sequence *s)
{
	explain(s);
	shrink(s, SHRINK_SECONDS);
	/* Run the last one that failed again, for its message. */
	printf("#   %d operations are left%s:\n", s->n,
	       run_sequence(s) ? ", which did not fail again" : "");
	sequence_print(s);
	if (shared->failed)
		explain(s);
}

static int replay(const char *path)
{
	static struct sequence s;
	bool good;

	must(sequence_read(&s, path));
	good = run_sequence(&s);
	if (!good)
		explain(&s);
	ok(good, "%d operations, each as the model says", s.n);
	printf("# checks found %lu folios of 2 MiB, and %lu mappings\n", shared->huge, shared->guest_huge);
	printf("# count steps %lu\n", shared->steps);
	return tap_exit();
}

static int fuzz(long seconds, uint64_t seed, long sequences)
{
	time_t start = time(NULL), told = start;
	bool steered = kcov_open(), good = true;
	uint64_t hash = 0xcbf29ce484222325ULL;
	static struct sequence s;
	long n = 0;

	while (good && time(NULL) - start < seconds && (!sequences || n < sequences)) {
		bool generated = choose(&s, seed + n);

		log_sequence(&s, seed + n, generated);
		hash = sequence_hash(&s, hash);
		good = run_sequence(&s);
		n++;
		if (steered)
			learn(&s);
		if (time(NULL) - told >= PROGRESS_SECONDS) {
			told = time(NULL);
			printf("# %ld s: %ld sequences, %lu steps, %d edges\n", told - start, n,
			       shared->steps, edges);
		}
	}
	printf("# count sequences %ld\n# count steps %lu\n", n, shared->steps);
	if (steered)
		printf("# count kcov-edges %d\n", edges);
	if (sequences)
		printf("# the sequences' hash is %#lx\n", hash);
	ok(good, "seed %lu: each call, page and policy as the model says", seed);
	if (!good) {
		printf("#   sequence %ld, after %ld s:\n", n, time(NULL) - start);
		report(&s);
	}
	/* Without these, a run that tries nothing would pass. */
	ok(!good || n > 0, "sequences were run");
	if (kernel.huge)
		ok(!good || (shared->huge && (shared->guest_huge || !kernel.huge_mappings)),
		   "checks found %lu folios of 2 MiB, and %lu times that a guest mapped one", shared->huge,
		   shared->guest_huge);
	return tap_exit();
}

int main(int argc, char **argv)
{
	must(argc >= 3);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	must(shared != MAP_FAILED);
	survey();
	if (!strcmp(argv[1], "replay"))
		return replay(argv[2]);
	return fuzz(atol(argv[1]), strtoull(argv[2], NULL, 0), argc > 3 ? atol(argv[3]) : 0);
}
