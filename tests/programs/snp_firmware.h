/* SPDX-License-Identifier: GPL-2.0-only */
/* How snp_shim.so tells the guest of snp_firmware.c what to do. */
#ifndef SNP_FIRMWARE_H
#define SNP_FIRMWARE_H

/*
 * The guest reads the number of a page, how many pages, and an order; and writes a result, which is
 * 0 if all is well.
 */
#define SNP_PORT 0x5e0

#define SNP_WRITE 0	/* write to each page its own address */
#define SNP_VERIFY 1	/* how many pages hold something else? */
#define SNP_SHARE 2	/* the hypercall KVM_HC_MAP_GPA_RANGE, which makes the pages shared */
#define SNP_UNSHARE 3	/* the same to make them private */

#endif /* SNP_FIRMWARE_H */
