/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of snp_shim.so share; shim.c explains it. */
#ifndef SNP_SHIM_H
#define SNP_SHIM_H

#include <stddef.h>
#include <stdint.h>

#include "../placed.h"
#include "../private.h"
#include "../tap.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define SLOTS 64
#define RANGES 16

struct range {
	uint64_t gpa, size;
};

/* shim.c: the VM, of which only the descriptor is used, and its first vCPU */
extern struct vmm vm;
extern int vcpu0;
extern struct kvm_run *run;

long pass_on(int fd, unsigned long request, unsigned long arg);
struct kvm_userspace_memory_region2 slot_get(size_t i);	/* size 0: has no private memory */
struct kvm_userspace_memory_region2 slot_at(uint64_t gpa);
struct placed_range range_of(const struct kvm_userspace_memory_region2 *slot);
size_t ranges_to_convert(struct range *ranges);
void check_punched(const struct range *r);
int exit_shutdown(void);
int wait_for_signal(void);

/* Run vCPU 0 until QEMU has something to do, as the ioctl KVM_RUN does. */
int run_scripted(void);
int run_running(void);

#endif /* SNP_SHIM_H */
