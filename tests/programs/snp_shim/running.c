// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that runs, in a software-protected VM: what it touches is private as far as the pages'
 * attributes say so. It is the code in snp_firmware.c, which asks for orders by reading a port, and
 * writes the results to it. All other exits are QEMU's to handle, among them those by which the
 * guest has QEMU convert memory.
 */
#include <linux/kvm_para.h>
#include <numa.h>

#include "../numa.h"
#include "../snp_firmware.h"
#include "shim.h"

struct order {
	uint32_t word[3];	/* page, number of pages, what to do */
};

/* What comes when the guest has done all that it was told to do. */
enum stage { TOUCH, SHARE, USE_SHARED, UNSHARE, TOUCH_AGAIN, VERIFY, END };

static struct range todo[SLOTS];	/* ranges of the present stage */
static size_t nr_todo;
static uint64_t done;			/* bytes of the last range */
static uint32_t what;			/* for each of them */
static uint64_t results;		/* the sum of what the guest has written to the port */

static void give_all_memory(uint32_t order)
{
	size_t i;

	what = order;
	for (i = 0; i < SLOTS; i++) {
		struct kvm_userspace_memory_region2 slot = slot_get(i);

		if (slot.memory_size)
			todo[nr_todo++] = (struct range){ slot.guest_phys_addr, slot.memory_size };
	}
}

static void give_ranges(uint32_t order)
{
	what = order;
	nr_todo = ranges_to_convert(todo);
}

static void check_all(const char *when)
{
	size_t i;

	for (i = 0; i < SLOTS; i++) {
		struct kvm_userspace_memory_region2 slot = slot_get(i);
		struct placed_range range = range_of(&slot);

		if (slot.memory_size)
			placed_check(&range, when);
	}
}

/* The guest writes to each page the address at which it has it. */
static void check_shared_contents(const struct range *r)
{
	struct kvm_userspace_memory_region2 slot = slot_at(r->gpa);
	char *host = (char *)slot.userspace_addr + (r->gpa - slot.guest_phys_addr);
	uint64_t offset, wrong = 0;

	for (offset = 0; offset < r->size; offset += PAGE)
		wrong += *(uint64_t *)(host + offset) != r->gpa + offset;
	is(wrong, 0, "%#lx: QEMU sees what the guest has written", r->gpa);
}

static void each_range(void (*check)(const struct range *r))
{
	struct range ranges[RANGES];
	size_t n = ranges_to_convert(ranges), i;

	for (i = 0; i < n; i++)
		check(&ranges[i]);
}

/* False at the end. */
static bool next_stage(void)
{
	static enum stage stage;

	switch (stage++) {
	case TOUCH:
		give_all_memory(SNP_WRITE);
		return true;
	case SHARE:
		check_all("touched by the guest");
		give_ranges(SNP_SHARE);
		return true;
	case USE_SHARED:
		is(results, 0, "each request of the guest is granted");
		each_range(check_punched);
		give_ranges(SNP_WRITE);
		return true;
	case UNSHARE:
		each_range(check_shared_contents);
		give_ranges(SNP_UNSHARE);
		return true;
	case TOUCH_AGAIN:
		is(results, 0, "and each to take it back");
		give_ranges(SNP_WRITE);
		return true;
	case VERIFY:
		check_all("shared by the guest, and taken back");
		give_all_memory(SNP_VERIFY);
		return true;
	case END:
		break;
	}
	is(results, 0, "the guest finds on all pages what it has written");
	return false;
}

/* A part of a range, so that the guest gets to run on CPUs of both nodes. */
static struct order next_order(void)
{
	static const uint64_t chunk = 64 * PAGE;
	struct range *r = &todo[nr_todo - 1];
	uint64_t left = r->size - done, size = left < chunk ? left : chunk;
	struct order order = { { (r->gpa + done) / PAGE, size / PAGE, what } };

	must(!numa_run_on_node(done / chunk % NODES));
	done += size;
	if (done == r->size) {
		nr_todo--;
		done = 0;
	}
	return order;
}

int run_running(void)
{
	static struct order order;
	static size_t word = ARRAY_SIZE(order.word);
	static bool ended;
	uint32_t *data;

	while (!ended) {
		int r = pass_on(vcpu0, KVM_RUN, 0);

		if (r || run->exit_reason != KVM_EXIT_IO || run->io.port != SNP_PORT)
			return r;
		must(run->io.size == 4 && run->io.count == 1);
		data = (uint32_t *)((char *)run + run->io.data_offset);
		if (run->io.direction == KVM_EXIT_IO_OUT) {
			results += *data;
			continue;
		}
		if (word == ARRAY_SIZE(order.word)) {
			ended = !nr_todo && !next_stage();
			if (ended)
				return exit_shutdown();
			order = next_order();
			word = 0;
		}
		*data = order.word[word++];
	}
	return wait_for_signal();
}
