/* SPDX-License-Identifier: GPL-2.0-only */
/* Private memory, of VMs as SEV-SNP and TDX guests are. */
#ifndef CHECK_PRIVATE_H
#define CHECK_PRIVATE_H

#include "nodes.h"
#include "report.h"
#include "vm.h"

/*
 * Allocate private memory whose shared half has the row's policy, and count where it comes from. The
 * guest never runs, so any host that has such VMs can do this. Return 0, or -1 with vm->failed and
 * errno.
 */
int private_row(struct row *row, const struct nodes *nodes, struct vm *vm);

#endif /* CHECK_PRIVATE_H */
