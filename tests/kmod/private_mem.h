/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * /dev/private_mem, which gives VMs private memory where the machine has neither SEV-SNP nor TDX.
 * private_mem.c implements it.
 */
#ifndef _TEST_PRIVATE_MEM_H
#define _TEST_PRIVATE_MEM_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct private_mem_populate - fill private memory, as SNP_LAUNCH_UPDATE does
 * @vm: descriptor of the VM
 * @pad: 0
 * @gfn: first page
 * @npages: how many pages
 * @src: address of their contents, or 0 for pages of zeroes
 */
struct private_mem_populate {
	__s32 vm;
	__u32 pad;
	__u64 gfn;
	__u64 npages;
	__u64 src;
};

/*
 * Where private_mem_nodes.nodes comes from. Which page is the guest's is told by the model of the
 * RMP or, on kernels that have no calls for it, by the page table that the first vCPU runs on.
 */
#define PRIVATE_MEM_PAGE_CACHE	0	/* the page cache of the file that the memslot is bound to */
#define PRIVATE_MEM_GUEST	1	/* the page that is the guest's */

#define PRIVATE_MEM_NO_PAGE	(-1)
#define PRIVATE_MEM_NO_FILE	(-2)

/**
 * struct private_mem_nodes - the node of each page of a range
 * @vm: descriptor of the VM
 * @witness: PRIVATE_MEM_PAGE_CACHE or PRIVATE_MEM_GUEST
 * @gfn: first page
 * @npages: how many pages
 * @nodes: address of one __s8 for each page: a node, PRIVATE_MEM_NO_PAGE, or PRIVATE_MEM_NO_FILE
 *	   if no memslot is bound to a file there
 */
struct private_mem_nodes {
	__s32 vm;
	__u32 witness;
	__u64 gfn;
	__u64 npages;
	__u64 nodes;
};

/**
 * struct private_mem_page - ask KVM for one page, as SNP's handler of RMP faults does
 * @vm: descriptor of the VM
 * @pad: 0
 * @gfn: the page
 */
struct private_mem_page {
	__s32 vm;
	__u32 pad;
	__u64 gfn;
};

/**
 * struct private_mem_rmp - what the model of the RMP has seen since the module was loaded
 * @assigned: pages that are a guest's right now
 * @prepared: how often a page became a guest's
 * @reclaimed: how often a page became the host's again
 * @wrong: how often something happened that hardware would not have forgiven
 * @first: the first of these, in words
 */
struct private_mem_rmp {
	__u64 assigned;
	__u64 prepared;
	__u64 reclaimed;
	__u64 wrong;
	char first[128];
};

#define PRIVATE_MEM_TYPE	'P'
/*
 * The VM, which has no memslots and vCPUs yet, has private memory from now on; the argument is its
 * descriptor. On kernels without a model of the RMP it becomes a software-protected VM, whose guest
 * runs on its private memory.
 */
#define PRIVATE_MEM_MAKE	_IO(PRIVATE_MEM_TYPE, 0)
/* Returns the number of pages, as kvm_gmem_populate(). ENOTTY: this kernel has no such function. */
#define PRIVATE_MEM_POPULATE	_IOW(PRIVATE_MEM_TYPE, 1, struct private_mem_populate)
#define PRIVATE_MEM_NODES	_IOW(PRIVATE_MEM_TYPE, 2, struct private_mem_nodes)
#define PRIVATE_MEM_GET_PAGE	_IOW(PRIVATE_MEM_TYPE, 3, struct private_mem_page)
/* ENODEV: this kernel tells nobody which pages are a guest's. */
#define PRIVATE_MEM_GET_RMP	_IOR(PRIVATE_MEM_TYPE, 4, struct private_mem_rmp)

#endif /* _TEST_PRIVATE_MEM_H */
