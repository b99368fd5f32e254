// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that does not run. The shim has KVM allocate the private pages that it would touch, and
 * makes the exits by which it would have QEMU convert memory.
 */
#include <fcntl.h>
#include <linux/kvm_para.h>
#include <numa.h>
#include <unistd.h>

#include "../numa.h"
#include "shim.h"

static int prefault(uint64_t gpa, uint64_t size)
{
	struct kvm_pre_fault_memory range = { .gpa = gpa, .size = size };

	while (range.size) {
		if (pass_on(vcpu0, KVM_PRE_FAULT_MEMORY, (unsigned long)&range) && errno != EINTR)
			return -1;
	}
	return 0;
}

/* The guest runs on CPUs of both nodes. */
static void touch(const struct kvm_userspace_memory_region2 *slot)
{
	uint64_t chunk = 16 * PAGE, done;

	for (done = 0; done < slot->memory_size; done += chunk) {
		uint64_t left = slot->memory_size - done;

		must(!numa_run_on_node(done / chunk % NODES));
		must(!prefault(slot->guest_phys_addr + done, left < chunk ? left : chunk));
	}
	must(!numa_run_on_node(-1));
}

static void touch_and_check(const char *when)
{
	size_t i;

	for (i = 0; i < SLOTS; i++) {
		struct kvm_userspace_memory_region2 slot = slot_get(i);
		struct placed_range range = range_of(&slot);

		if (!slot.memory_size)
			continue;
		touch(&slot);
		placed_check(&range, when);
	}
}

/* The guest's request, with which hardware leaves it. */
static int exit_map_gpa_range(const struct range *r, bool private)
{
	run->exit_reason = KVM_EXIT_HYPERCALL;
	run->hypercall.nr = KVM_HC_MAP_GPA_RANGE;
	run->hypercall.args[0] = r->gpa;
	run->hypercall.args[1] = r->size / PAGE;
	run->hypercall.args[2] = private ? KVM_MAP_GPA_RANGE_ENCRYPTED : 0;
	run->hypercall.flags = KVM_EXIT_HYPERCALL_LONG_MODE;
	return 0;
}

/* The guest has accessed a page as what it is not, without a request. */
static int exit_memory_fault(uint64_t gpa, bool private)
{
	run->exit_reason = KVM_EXIT_MEMORY_FAULT;
	run->memory_fault.flags = private ? KVM_MEMORY_EXIT_FLAG_PRIVATE : 0;
	run->memory_fault.gpa = gpa;
	run->memory_fault.size = PAGE;
	errno = EFAULT;
	return -1;
}

static void plug(void)
{
	int fd = open(getenv("SNP_MONITOR"), O_WRONLY);
	const char *commands = getenv("SNP_PLUG");

	must(fd >= 0 && write(fd, commands, strlen(commands)) == (ssize_t)strlen(commands));
	close(fd);
}

static bool plugged(void)
{
	return slot_at(strtoul(getenv("SNP_PLUG_GPA"), NULL, 16)).memory_size;
}

/* What the guest does between two exits of vCPU 0. */
int run_scripted(void)
{
	static enum { LAUNCHED, SHARED, PRIVATE, FAULTED, CONVERTED, WAITING, ENDED } state;
	static struct range ranges[RANGES];
	static size_t n, i;

	switch (state) {
	case LAUNCHED:
		n = ranges_to_convert(ranges);
		touch_and_check("launched");
		state = SHARED;
		return exit_map_gpa_range(&ranges[0], false);
	case SHARED:
		check_punched(&ranges[i]);
		state = PRIVATE;
		return exit_map_gpa_range(&ranges[i++], true);
	case PRIVATE:
		if (i < n) {
			state = SHARED;
			return exit_map_gpa_range(&ranges[i], false);
		}
		state = FAULTED;
		return exit_memory_fault(ranges[0].gpa, false);
	case FAULTED:
		check_punched(&(struct range){ ranges[0].gpa, PAGE });
		state = CONVERTED;
		return exit_memory_fault(ranges[0].gpa, true);
	case CONVERTED:
		touch_and_check("made shared and private again");
		plug();
		state = WAITING;
		/* fall through */
	case WAITING:
		while (!plugged()) {
			if (run->immediate_exit)
				return wait_for_signal();
			usleep(10000);
		}
		touch_and_check("with a memory device");
		state = ENDED;
		return exit_shutdown();
	case ENDED:
		break;
	}
	return wait_for_signal();
}
