// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tap.h"
#include "vmm.h"

bool vmm_quiet;

/* Layout of the control slot, by page. */
enum {
	CTRL_PML4,
	CTRL_PDPT,
	CTRL_PD0,
	CTRL_PD4,
	CTRL_CODE,
	CTRL_HSAVE,
	CTRL_VMCB,
	CTRL_STACK = CTRL_VMCB + VMM_MAX_VCPUS,
	CTRL_PT4 = CTRL_STACK + VMM_MAX_VCPUS,
	/*
	 * A second set of tables, for nested paging. If it shared the first set, the nested guest
	 * would set accessed bits in tables that KVM shadows, and KVM would emulate it instead of
	 * running it.
	 */
	CTRL_NPML4 = CTRL_PT4 + VMM_TEST_4K / (2 * MIB),
	CTRL_NPDPT,
	CTRL_NPD0,
	CTRL_NPD4,
	CTRL_NPT4,
	CTRL_COUNTER = CTRL_NPT4 + VMM_TEST_4K / (2 * MIB),
	CTRL_PAGES = CTRL_COUNTER + VMM_MAX_VCPUS,
};

#define PTE_PRESENT 1UL
#define PTE_WRITE 2UL
#define PTE_USER 4UL /* nested paging walks the tables as user */
#define PTE_HUGE 0x80UL
#define PTE_TABLE (PTE_PRESENT | PTE_WRITE | PTE_USER)

#define CR0_BITS 0x80000033UL /* PG, NE, ET, MP, PE */
#define CR4_BITS 0x20UL /* PAE */
#define EFER_BITS 0x500UL /* LMA, LME */
#define EFER_SVME 0x1000UL
#define MSR_VM_HSAVE_PA 0xc0010117

/*
 * rdi: address; rsi: number of pages; rax: value to write, or the sum; rdx: what the value grows
 * by with each page, or the weight of a page relative to the next. guest_count: rsi is the address
 * of a struct vmm_counter.
 */
extern const uint8_t guest_write[], guest_sum[], guest_count[], guest_vmrun[], guest_halt[],
	guest_end[];

asm(".pushsection .rodata\n"
    "guest_write:\n"
    "1:	mov %rax, (%rdi)\n"
    "	add %rdx, %rax\n"
    "	add $4096, %rdi\n"
    "	dec %rsi\n"
    "	jnz 1b\n"
    "	hlt\n"
    "guest_sum:\n"
    "	xor %eax, %eax\n"
    "1:	imul %rdx, %rax\n"
    "	add (%rdi), %rax\n"
    "	add $4096, %rdi\n"
    "	dec %rsi\n"
    "	jnz 1b\n"
    "	hlt\n"
    "guest_count:\n"
    "1:	inc %rax\n"
    "	mov %rax, (%rdi)\n"
    "	mov %rax, (%rsi)\n"
    "	cmpq $0, 8(%rsi)\n"
    "	je 1b\n"
    "	hlt\n"
    "guest_vmrun:\n"
    "	vmrun %rax\n"
    "guest_halt:\n"
    "	hlt\n"
    "guest_end:\n"
    ".popsection\n");

static uint64_t ctrl_gpa(int page)
{
	return page * PAGE;
}

static uint64_t *ctrl_table(struct vmm *vm, int page)
{
	return (uint64_t *)(vm->ctrl + page * PAGE);
}

static uint64_t code_gpa(const uint8_t *code)
{
	return ctrl_gpa(CTRL_CODE) + (code - guest_write);
}

static void fill_tables(struct vmm *vm, int pml4, int pdpt, int pd0, int pd4, int pt4)
{
	uint64_t i;

	ctrl_table(vm, pml4)[0] = ctrl_gpa(pdpt) | PTE_TABLE;
	ctrl_table(vm, pdpt)[0] = ctrl_gpa(pd0) | PTE_TABLE;
	ctrl_table(vm, pdpt)[3] = 3 * GIB | PTE_TABLE | PTE_HUGE;
	ctrl_table(vm, pdpt)[4] = ctrl_gpa(pd4) | PTE_TABLE;
	for (i = 0; i < 512; i++) {
		ctrl_table(vm, pd0)[i] = i * 2 * MIB | PTE_TABLE | PTE_HUGE;
		ctrl_table(vm, pd4)[i] = (VMM_TEST_GPA + i * 2 * MIB) | PTE_TABLE | PTE_HUGE;
	}
	for (i = 0; i < VMM_TEST_4K / (2 * MIB); i++)
		ctrl_table(vm, pd4)[i] = ctrl_gpa(pt4 + i) | PTE_TABLE;
	for (i = 0; i < VMM_TEST_4K / PAGE; i++)
		ctrl_table(vm, pt4)[i] = (VMM_TEST_GPA + i * PAGE) | PTE_TABLE;
}

static void fill_ctrl(struct vmm *vm)
{
	fill_tables(vm, CTRL_PML4, CTRL_PDPT, CTRL_PD0, CTRL_PD4, CTRL_PT4);
	fill_tables(vm, CTRL_NPML4, CTRL_NPDPT, CTRL_NPD0, CTRL_NPD4, CTRL_NPT4);
	memcpy(vm->ctrl + CTRL_CODE * PAGE, guest_write, guest_end - guest_write);
}

static void set_cpuid(struct vmm *vm, int vcpu)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entry[256];
	} cpuid = { .head.nent = 256 };

	must(!ioctl(vm->kvm_fd, KVM_GET_SUPPORTED_CPUID, &cpuid));
	must(!ioctl(vm->vcpu[vcpu].fd, KVM_SET_CPUID2, &cpuid));
}

static void set_sregs(struct vmm *vm, int vcpu)
{
	struct kvm_segment data = { .limit = ~0U, .selector = 16, .type = 3, .present = 1,
				    .db = 1, .s = 1, .g = 1 };
	struct kvm_segment code = { .limit = ~0U, .selector = 8, .type = 11, .present = 1,
				    .s = 1, .l = 1, .g = 1 };
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry[1];
	} msrs = { .head.nmsrs = 1 };
	struct kvm_sregs sregs;

	must(!ioctl(vm->vcpu[vcpu].fd, KVM_GET_SREGS, &sregs));
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.cr3 = ctrl_gpa(CTRL_PML4);
	sregs.cr4 = CR4_BITS;
	sregs.cr0 = CR0_BITS;
	sregs.efer = EFER_BITS | EFER_SVME;
	must(!ioctl(vm->vcpu[vcpu].fd, KVM_SET_SREGS, &sregs));

	msrs.entry[0].index = MSR_VM_HSAVE_PA;
	msrs.entry[0].data = ctrl_gpa(CTRL_HSAVE);
	must(ioctl(vm->vcpu[vcpu].fd, KVM_SET_MSRS, &msrs) == 1);
}

void vmm_add_vcpu(struct vmm *vm)
{
	int i = vm->nr_vcpus++;
	int size = ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);

	must(i < VMM_MAX_VCPUS && size > 0);
	vm->vcpu[i].fd = ioctl(vm->fd, KVM_CREATE_VCPU, i);
	must(vm->vcpu[i].fd >= 0);
	vm->vcpu[i].run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vm->vcpu[i].fd, 0);
	must(vm->vcpu[i].run != MAP_FAILED);
	set_cpuid(vm, i);
	set_sregs(vm, i);
}

void vmm_open_type(struct vmm *vm, unsigned long type)
{
	memset(vm, 0, sizeof(*vm));
	vm->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	must(vm->kvm_fd >= 0);
	vm->fd = ioctl(vm->kvm_fd, KVM_CREATE_VM, type);
	must(vm->fd >= 0);
}

void vmm_open(struct vmm *vm)
{
	vmm_open_type(vm, 0);
}

void vmm_start(struct vmm *vm, int nr_vcpus)
{
	vm->ctrl = mmap(NULL, CTRL_PAGES * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(vm->ctrl != MAP_FAILED);
	fill_ctrl(vm);
	must(!vmm_slot(vm, VMM_CTRL_SLOT, 0, 0, CTRL_PAGES * PAGE, vm->ctrl, -1, 0));

	while (vm->nr_vcpus < nr_vcpus)
		vmm_add_vcpu(vm);
}

void vmm_create(struct vmm *vm, int nr_vcpus)
{
	vmm_open(vm);
	vmm_start(vm, nr_vcpus);
}

void vmm_destroy(struct vmm *vm)
{
	int i, size = ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);

	for (i = 0; i < vm->nr_vcpus; i++) {
		munmap(vm->vcpu[i].run, size);
		close(vm->vcpu[i].fd);
	}
	close(vm->fd);
	close(vm->kvm_fd);
	munmap(vm->ctrl, CTRL_PAGES * PAGE);
}

int vmm_gmem_try(struct vmm *vm, uint64_t size, uint64_t flags)
{
	struct kvm_create_guest_memfd args = { .size = size, .flags = flags };

	return ioctl(vm->fd, KVM_CREATE_GUEST_MEMFD, &args);
}

int vmm_gmem(struct vmm *vm, uint64_t size, uint64_t flags)
{
	int fd = vmm_gmem_try(vm, size, flags);

	must(fd >= 0);
	return fd;
}

char *vmm_map(int fd, uint64_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	must(p != MAP_FAILED);
	return p;
}

void vmm_punch(int fd, uint64_t offset, uint64_t size)
{
	must(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, size));
}

int vmm_slot(struct vmm *vm, uint32_t slot, uint32_t flags, uint64_t gpa, uint64_t size,
	     void *hva, int fd, uint64_t offset)
{
	struct kvm_userspace_memory_region2 region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uint64_t)hva,
		.guest_memfd = fd,
		.guest_memfd_offset = offset,
	};

	int r = ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION2, &region);

	/*
	 * Kernels before 6.8 without the module have only the older ioctl, whose struct begins
	 * alike.
	 */
	if (r && errno == ENOTTY && !(flags & KVM_MEM_GUEST_MEMFD))
		r = ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region);
	return r;
}

void vmm_bind(struct vmm *vm, int fd, uint64_t size, void *hva)
{
	must(!vmm_slot(vm, VMM_TEST_SLOT, KVM_MEM_GUEST_MEMFD, VMM_TEST_GPA, size, hva, fd, 0));
}

int vmm_delete_slot(struct vmm *vm, uint32_t slot)
{
	return vmm_slot(vm, slot, 0, 0, 0, NULL, -1, 0);
}

int vmm_cap(int fd, int cap)
{
	return ioctl(fd, KVM_CHECK_EXTENSION, cap);
}

bool vmm_host_has_npt(void)
{
	FILE *f = fopen("/sys/module/kvm_amd/parameters/npt", "r");
	bool npt;

	must(f);
	npt = fgetc(f) != 'N';
	fclose(f);
	return npt;
}

const char *vmm_ask_for_huge(const char *word)
{
	static const char *const words[] = { "never", "advise", "within_size", "always" };
	int fd = open("/sys/module/kvm_gmem_numa/parameters/huge", O_RDWR);
	const char *was = words[0];
	char text[16] = {};
	size_t i;

	if (fd < 0)
		return was;
	must(read(fd, text, sizeof(text) - 1) > 0);
	must(write(fd, word, strlen(word)) == (ssize_t)strlen(word));
	close(fd);
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strncmp(text, words[i], strlen(words[i])))
			was = words[i];
	}
	return was;
}

bool vmm_gmem_is_ours(void)
{
	FILE *f = fopen("/sys/module/kvm_gmem_numa/features/guest_memfd", "r");
	char state[16] = {};

	if (!f)
		return false;
	must(fgets(state, sizeof(state), f));
	fclose(f);
	return !strcmp(state, "active\n");
}

int vmm_prefault_error(void)
{
	int fd = open("/dev/kvm", O_RDWR);
	int cap;

	must(fd >= 0);
	cap = vmm_cap(fd, KVM_CAP_PRE_FAULT_MEMORY);
	close(fd);
	if (cap)
		return 0;
	/* Without nested paging KVM does not report the capability, but still has the ioctl. */
	return vmm_host_has_npt() ? EINVAL : EOPNOTSUPP;
}

int vmm_prefault(struct vmm *vm, int vcpu, uint64_t gpa, uint64_t size)
{
	struct kvm_pre_fault_memory range = { .gpa = gpa, .size = size };

	while (range.size) {
		if (ioctl(vm->vcpu[vcpu].fd, KVM_PRE_FAULT_MEMORY, &range))
			return -1;
	}
	return 0;
}

/*
 * A guest access to absent memory waits for the VMM's answer. The next KVM_RUN would complete it
 * first, whatever the registers were set to in between.
 */
static void finish_mmio(struct vmm_vcpu *v)
{
	v->run->immediate_exit = 1;
	must(ioctl(v->fd, KVM_RUN, 0) == -1 && errno == EINTR);
	v->run->immediate_exit = 0;
	v->run->exit_reason = KVM_EXIT_MMIO;
}

static int run_at(struct vmm *vm, int vcpu, uint64_t gpa, struct kvm_regs *regs)
{
	struct vmm_vcpu *v = &vm->vcpu[vcpu];

	regs->rip = gpa;
	regs->rflags = 2;
	regs->rsp = ctrl_gpa(CTRL_STACK + vcpu + 1);
	if (ioctl(v->fd, KVM_SET_REGS, regs) || ioctl(v->fd, KVM_RUN, 0) ||
	    ioctl(v->fd, KVM_GET_REGS, regs))
		return -1;

	if (v->run->exit_reason != KVM_EXIT_HLT) {
		if (!vmm_quiet)
			printf("# vCPU %d: exit reason %u at rip %#llx\n", vcpu,
			       v->run->exit_reason, regs->rip);
		if (v->run->exit_reason == KVM_EXIT_MMIO)
			finish_mmio(v);
		errno = ENOTRECOVERABLE;
		return -1;
	}
	return 0;
}

static int run(struct vmm *vm, int vcpu, const uint8_t *code, struct kvm_regs *regs)
{
	return run_at(vm, vcpu, code_gpa(code), regs);
}

int vmm_execute(struct vmm *vm, int vcpu, uint64_t gpa)
{
	struct kvm_regs regs = {};

	return run_at(vm, vcpu, gpa, &regs);
}

int vmm_halt(struct vmm *vm, int vcpu)
{
	struct kvm_regs regs = {};

	return run(vm, vcpu, guest_halt, &regs);
}

int vmm_write_rising(struct vmm *vm, int vcpu, uint64_t gpa, uint64_t n, uint64_t value,
		     uint64_t step)
{
	struct kvm_regs regs = { .rdi = gpa, .rsi = n, .rax = value, .rdx = step };

	return run(vm, vcpu, guest_write, &regs);
}

int vmm_write(struct vmm *vm, int vcpu, uint64_t gpa, uint64_t n, uint64_t value)
{
	return vmm_write_rising(vm, vcpu, gpa, n, value, 0);
}

int vmm_sum_weighted(struct vmm *vm, int vcpu, uint64_t gpa, uint64_t n, uint64_t weight,
		     uint64_t *sum)
{
	struct kvm_regs regs = { .rdi = gpa, .rsi = n, .rdx = weight };
	int r = run(vm, vcpu, guest_sum, &regs);

	*sum = regs.rax;
	return r;
}

int vmm_sum(struct vmm *vm, int vcpu, uint64_t gpa, uint64_t n, uint64_t *sum)
{
	return vmm_sum_weighted(vm, vcpu, gpa, n, 1, sum);
}

/* The VMCB fields that are used here: AMD64 manual, volume 2, appendix B. */
static void vmcb_set(uint8_t *vmcb, int offset, uint64_t value, int bytes)
{
	memcpy(vmcb + offset, &value, bytes);
}

static void vmcb_segment(uint8_t *vmcb, int offset, uint16_t selector, uint16_t attributes)
{
	vmcb_set(vmcb, offset, selector, 2);
	vmcb_set(vmcb, offset + 2, attributes, 2);
	vmcb_set(vmcb, offset + 4, ~0U, 4);
}

#define VMCB_EXITCODE 0x70
#define VMEXIT_HLT 0x78

static void vmcb_fill(struct vmm *vm, int vcpu, bool npt, const uint8_t *code, uint64_t rax)
{
	uint8_t *vmcb = vm->ctrl + (CTRL_VMCB + vcpu) * PAGE;

	memset(vmcb, 0, PAGE);
	vmcb_set(vmcb, 0x0c, 1U << 24 | 1U << 31, 4);	/* intercept HLT, shutdown */
	vmcb_set(vmcb, 0x10, 1, 4);			/* intercept VMRUN */
	vmcb_set(vmcb, 0x58, 1, 4);			/* ASID */
	vmcb_set(vmcb, 0x90, npt, 8);
	vmcb_set(vmcb, 0xb0, ctrl_gpa(CTRL_NPML4), 8);	/* nested CR3 */
	vmcb_segment(vmcb, 0x400, 16, 0xc93);		/* ES */
	vmcb_segment(vmcb, 0x410, 8, 0xa9b);		/* CS */
	vmcb_segment(vmcb, 0x420, 16, 0xc93);		/* SS */
	vmcb_segment(vmcb, 0x430, 16, 0xc93);		/* DS */
	vmcb_segment(vmcb, 0x490, 0, 0x8b);		/* TR */
	vmcb_set(vmcb, 0x4d0, EFER_BITS | EFER_SVME, 8);
	vmcb_set(vmcb, 0x548, CR4_BITS, 8);
	vmcb_set(vmcb, 0x550, ctrl_gpa(CTRL_PML4), 8);
	vmcb_set(vmcb, 0x558, CR0_BITS, 8);
	vmcb_set(vmcb, 0x560, 0x400, 8);		/* DR7 */
	vmcb_set(vmcb, 0x568, 0xffff0ff0, 8);		/* DR6 */
	vmcb_set(vmcb, 0x570, 2, 8);			/* RFLAGS */
	vmcb_set(vmcb, 0x578, code_gpa(code), 8);
	vmcb_set(vmcb, 0x5f8, rax, 8);
	vmcb_set(vmcb, 0x668, 0x0007040600070406, 8);	/* PAT */
}

static int run_nested(struct vmm *vm, int vcpu, enum vmm_nesting nesting, const uint8_t *code,
		      struct kvm_regs *regs)
{
	uint64_t exitcode;

	if (nesting == VMM_L1)
		return run(vm, vcpu, code, regs);

	vmcb_fill(vm, vcpu, nesting == VMM_L2_NPT, code, regs->rax);
	regs->rax = ctrl_gpa(CTRL_VMCB + vcpu);
	if (run(vm, vcpu, guest_vmrun, regs))
		return -1;

	memcpy(&exitcode, vm->ctrl + (CTRL_VMCB + vcpu) * PAGE + VMCB_EXITCODE, 8);
	if (exitcode != VMEXIT_HLT) {
		if (!vmm_quiet)
			printf("# the nested guest exited with code %#lx\n", exitcode);
		errno = ENOTRECOVERABLE;
		return -1;
	}
	return 0;
}

int vmm_write_nested(struct vmm *vm, int vcpu, enum vmm_nesting nesting, uint64_t gpa,
		     uint64_t n, uint64_t value)
{
	struct kvm_regs regs = { .rdi = gpa, .rsi = n, .rax = value };

	return run_nested(vm, vcpu, nesting, guest_write, &regs);
}

struct vmm_counter *vmm_counter(struct vmm *vm, int vcpu)
{
	return (struct vmm_counter *)(vm->ctrl + (CTRL_COUNTER + vcpu) * PAGE);
}

int vmm_count(struct vmm *vm, int vcpu, enum vmm_nesting nesting, uint64_t gpa)
{
	struct kvm_regs regs = { .rdi = gpa, .rsi = ctrl_gpa(CTRL_COUNTER + vcpu),
				 .rax = vmm_counter(vm, vcpu)->done };

	return run_nested(vm, vcpu, nesting, guest_count, &regs);
}
