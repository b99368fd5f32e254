/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether private pages are where the policy of the shared half would have put them. */
#ifndef PLACED_H
#define PLACED_H

#include "vmm.h"

/**
 * struct placed_range - a part of a memslot whose pages are all private, and were all touched
 * @vm: the VM
 * @name: what test points call it
 * @gpa: where the guest has it
 * @size: in bytes
 * @host: where the shared half is mapped
 * @nodes: the nodes of its policy, or 0 if it has none
 * @one_witness: the VM is not one that private_mem.ko has made
 */
struct placed_range {
	struct vmm *vm;
	const char *name;
	uint64_t gpa;
	uint64_t size;
	char *host;
	unsigned long nodes;
	bool one_witness;
};

/*
 * Each page is compared with its page of the shared half, which is touched if it was not there.
 * Because that page is on the wrong node if the policy is wrong, pages are also counted by node,
 * and compared with @nodes.
 */
void placed_check(const struct placed_range *r, const char *when);

#endif /* PLACED_H */
