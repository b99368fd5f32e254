// SPDX-License-Identifier: GPL-2.0-only
/*
 * snp_shim.so: to be preloaded by QEMU, which then runs a SEV-SNP guest on a machine that has no
 * SEV-SNP.
 *
 * The shim takes QEMU's ioctls, and answers those that need the hardware: what the firmware of the
 * secure processor is asked, and the launch, whose pages are filled through /dev/private_mem. All
 * others go on to KVM. Test points say whether private pages are where QEMU's options put them.
 *
 * The guest either does not run, see scripted.c, or it does, see running.c.
 *
 *	SNP_NODES	the nodes of guest memory: GPA=MASK,... where MASK is in hexadecimal and is
 *			valid up to the next GPA; 0 means no policy
 *	SNP_CONVERT	GPA=SIZE,... the ranges that the guest converts, in hexadecimal
 *	SNP_RUNS	if set, the guest runs; otherwise:
 *	SNP_MONITOR	a file to write to QEMU's monitor
 *	SNP_PLUG	what to write to it, for a memory device
 *	SNP_PLUG_GPA	where it appears
 */
#include <linux/psp-sev.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim.h"

struct vmm vm = { .fd = -1 };
int vcpu0 = -1;
struct kvm_run *run;

static pthread_mutex_t slots_lock = PTHREAD_MUTEX_INITIALIZER;
static struct kvm_userspace_memory_region2 slots[SLOTS];

long pass_on(int fd, unsigned long request, unsigned long arg)
{
	return syscall(SYS_ioctl, fd, request, arg);
}

/* The value of the last pair in "KEY=VALUE,..." whose key is not larger. */
static unsigned long value_at(const char *pairs, unsigned long key)
{
	unsigned long value = 0;
	char *end;

	while (pairs && *pairs && strtoul(pairs, &end, 16) <= key) {
		must(*end == '=');
		value = strtoul(end + 1, &end, 16);
		pairs = *end ? end + 1 : end;
	}
	return value;
}

/* Whether the guest does run. */
static bool runs(void)
{
	return getenv("SNP_RUNS");
}

static int create_vm(int fd, unsigned long type)
{
	if (type != KVM_X86_SNP_VM)
		return pass_on(fd, KVM_CREATE_VM, type);
	setvbuf(stdout, NULL, _IOLBF, 0);
	vm.fd = pass_on(fd, KVM_CREATE_VM, runs() ? KVM_X86_SW_PROTECTED_VM : KVM_X86_DEFAULT_VM);
	must(vm.fd >= 0 && (runs() || !private_make(vm.fd)));
	return vm.fd;
}

static int check_extension(int fd, unsigned long cap)
{
	int r = pass_on(fd, KVM_CHECK_EXTENSION, cap);

	if (cap == KVM_CAP_VM_TYPES)
		return r | 1 << KVM_X86_SNP_VM;
	if (cap == KVM_CAP_READONLY_MEM && fd == vm.fd)
		return 0;
	return r;
}

static int create_vcpu(int fd, unsigned long id)
{
	int r = pass_on(fd, KVM_CREATE_VCPU, id);

	if (r >= 0 && fd == vm.fd && !id) {
		vcpu0 = r;
		run = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, r, 0);
		must(run != MAP_FAILED);
	}
	return r;
}

static int set_region(int fd, unsigned long arg)
{
	const struct kvm_userspace_memory_region2 *region = (void *)arg;
	int r = pass_on(fd, KVM_SET_USER_MEMORY_REGION2, arg);

	if (r || fd != vm.fd)
		return r;
	must(region->slot < SLOTS);
	must(!pthread_mutex_lock(&slots_lock));
	slots[region->slot] = *region;
	if (!(region->flags & KVM_MEM_GUEST_MEMFD))
		slots[region->slot].memory_size = 0;
	must(!pthread_mutex_unlock(&slots_lock));
	return r;
}

struct kvm_userspace_memory_region2 slot_get(size_t i)
{
	struct kvm_userspace_memory_region2 slot;

	must(!pthread_mutex_lock(&slots_lock));
	slot = slots[i];
	must(!pthread_mutex_unlock(&slots_lock));
	return slot;
}

struct kvm_userspace_memory_region2 slot_at(uint64_t gpa)
{
	struct kvm_userspace_memory_region2 slot;
	size_t i;

	for (i = 0; i < SLOTS; i++) {
		slot = slot_get(i);
		if (gpa >= slot.guest_phys_addr && gpa - slot.guest_phys_addr < slot.memory_size)
			return slot;
	}
	return (struct kvm_userspace_memory_region2){};
}

/* The firmware, whose contents only hardware can have the guest find in private memory. */
static void make_shared(uint64_t gpa, uint64_t size)
{
	size_t i;

	private_set(&vm, gpa, size, false);
	must(!pthread_mutex_lock(&slots_lock));
	for (i = 0; i < SLOTS; i++) {
		if (slots[i].guest_phys_addr == gpa)
			slots[i].memory_size = 0;
	}
	must(!pthread_mutex_unlock(&slots_lock));
}

static int launch_update(struct kvm_sev_snp_launch_update *update)
{
	bool zero = update->type == KVM_SEV_SNP_PAGE_TYPE_ZERO;
	long n = update->len / PAGE;

	if (!runs())
		n = private_populate(&vm, update->gfn_start * PAGE, n,
				     zero ? NULL : (void *)update->uaddr);
	else if (update->type == KVM_SEV_SNP_PAGE_TYPE_NORMAL)
		make_shared(update->gfn_start * PAGE, update->len);

	printf("# launch update of type %u: page %#llx, %#llx bytes: %ld pages\n", update->type,
	       update->gfn_start, update->len, n);
	if (n < 0)
		return -1;
	update->gfn_start += n;
	update->uaddr += n * PAGE;
	update->len -= n * PAGE;
	return 0;
}

static int encrypt_op(struct kvm_sev_cmd *cmd)
{
	cmd->error = 0;
	switch (cmd->id) {
	case KVM_SEV_INIT2:
	case KVM_SEV_SNP_LAUNCH_START:
	case KVM_SEV_SNP_LAUNCH_FINISH:
		return 0;
	case KVM_SEV_SNP_LAUNCH_UPDATE:
		return launch_update((void *)cmd->data);
	default:
		errno = ENOTTY;
		return -1;
	}
}

static int platform_command(struct sev_issue_cmd *cmd)
{
	struct sev_user_data_status *status = (void *)cmd->data;

	must(cmd->cmd == SEV_PLATFORM_STATUS);
	memset(status, 0, sizeof(*status));
	status->api_major = 1;
	status->api_minor = 55;
	cmd->error = 0;
	return 0;
}

/* A memslot is part of one RAM block, and so has one policy. */
struct placed_range range_of(const struct kvm_userspace_memory_region2 *slot)
{
	return (struct placed_range){
		.vm = &vm,
		.name = "memory",
		.gpa = slot->guest_phys_addr,
		.size = slot->memory_size,
		.host = (char *)slot->userspace_addr,
		.nodes = value_at(getenv("SNP_NODES"), slot->guest_phys_addr),
		.one_witness = runs(),
	};
}

size_t ranges_to_convert(struct range *ranges)
{
	char *p = getenv("SNP_CONVERT");
	size_t n = 0;

	while (p && *p) {
		must(n < RANGES);
		ranges[n].gpa = strtoul(p, &p, 16);
		must(*p == '=');
		ranges[n++].size = strtoul(p + 1, &p, 16);
		p += *p == ',';
	}
	must(n);
	return n;
}

void check_punched(const struct range *r)
{
	uint64_t n = r->size / PAGE, i, left = 0;
	int8_t *nodes = malloc(n);

	private_nodes(&vm, PRIVATE_MEM_PAGE_CACHE, r->gpa, n, nodes);
	for (i = 0; i < n; i++)
		left += nodes[i] != PRIVATE_MEM_NO_PAGE;
	is(left, 0, "%#lx: QEMU has made %lu pages shared, and freed the private ones", r->gpa, n);
	free(nodes);
}

int exit_shutdown(void)
{
	run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	run->system_event.type = KVM_SYSTEM_EVENT_SHUTDOWN;
	return 0;
}

/* As KVM_RUN, when the guest waits: a signal ends it, whose handler sets immediate_exit. */
int wait_for_signal(void)
{
	while (!run->immediate_exit)
		usleep(10000);
	errno = EINTR;
	return -1;
}

static int run_guest(void)
{
	return runs() ? run_running() : run_scripted();
}

__attribute__((visibility("default")))
int ioctl(int fd, unsigned long request, ...)
{
	unsigned long arg;
	va_list ap;

	va_start(ap, request);
	arg = va_arg(ap, unsigned long);
	va_end(ap);

	switch ((uint32_t)request) {
	case KVM_CREATE_VM:
		return create_vm(fd, arg);
	case KVM_CHECK_EXTENSION:
		return check_extension(fd, arg);
	case KVM_CREATE_VCPU:
		return create_vcpu(fd, arg);
	case KVM_SET_USER_MEMORY_REGION2:
		return set_region(fd, arg);
	case KVM_MEMORY_ENCRYPT_OP:
		return encrypt_op((void *)arg);
	case SEV_ISSUE_CMD:
		return platform_command((void *)arg);
	case KVM_RUN:
		return fd == vcpu0 ? run_guest() : pass_on(fd, request, arg);
	default:
		return pass_on(fd, request, arg);
	}
}
