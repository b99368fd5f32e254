// SPDX-License-Identifier: GPL-2.0-only
/*
 * snp_firmware FILE: write a firmware image that QEMU takes for one that knows SEV-SNP. It has the
 * tables that QEMU looks for, in the layout of OVMF, and a guest that does what snp_shim.so tells
 * it. Print what QEMU's cbitpos must be on this machine, because QEMU compares it with CPUID.
 */
#include <cpuid.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "snp_firmware.h"
#include "tap.h"

#define SIZE (256 * 1024)
#define AFTER_TABLE 32

static uint8_t image[SIZE];

/* GUIDs as they are stored. */
static const uint8_t table_guid[16] = { 0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45,
					0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d };
static const uint8_t reset_guid[16] = { 0xde, 0x71, 0xf7, 0x00, 0x7e, 0x1a, 0xcb, 0x4f,
					0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e };
static const uint8_t metadata_guid[16] = { 0x66, 0x65, 0x88, 0xdc, 0x4a, 0x98, 0x98, 0x47,
					   0xa7, 0x5e, 0x55, 0x85, 0xa7, 0xbf, 0x67, 0xcc };

enum { SEC_MEM = 1, SECRETS, CPUID };

static const struct {
	char signature[4];
	uint32_t size, version, descriptors;
	struct {
		uint32_t base, size, type;
	} descriptor[4];
} metadata = {
	.signature = "ASEV",
	.size = sizeof(metadata),
	.version = 1,
	.descriptors = 4,
	.descriptor = {
		{ 0x800000, 0x9000, SEC_MEM },
		{ 0x80b000, 0x2000, SEC_MEM },
		{ 0x80d000, 0x1000, SECRETS },
		{ 0x80e000, 0x1000, CPUID },
	},
};

/* An entry is its data, its length, and its GUID; entries go from the end to the beginning. */
static uint8_t *entry(uint8_t *end, const uint8_t *guid, const void *data, uint16_t size,
		      uint16_t length)
{
	memcpy(end - 16, guid, 16);
	memcpy(end - 18, &length, 2);
	memcpy(end - 18 - size, data, size);
	return end - 18 - size;
}

/* What the image has, at which offset. Its last 64 KiB are where a CPU starts, in real mode. */
#define PML4 0x1000
#define PDPT 0x2000
#define GDT 0x3000
#define CODE (SIZE - 0x10000)
#define GDT_POINTER (CODE + 0x400)
#define METADATA (SIZE - 4096)
#define RESET (SIZE - 16)

/* Where the guest has what is at the offset. */
#define GPA(offset) (0x100000000UL - SIZE + (offset))

#define STRING(x) #x
#define NUMBER(x) STRING(x)

extern const uint8_t guest_code[], guest_code_end[];

/*
 * To long mode, in which all memory is mapped where it is. There, rdi is an address, esi a number
 * of pages, and eax the order.
 */
asm(".pushsection .rodata\n"
    ".code16\n"
    "guest_code:\n"
    "	cli\n"
    "	lgdtl %cs:0x400\n"
    "	mov %cr0, %eax\n"
    "	or $1, %eax\n"
    "	mov %eax, %cr0\n"
    "	ljmpl $8, $0xffff0000 + (guest_32 - guest_code)\n"
    ".code32\n"
    "guest_32:\n"
    "	mov $16, %eax\n"
    "	mov %eax, %ds\n"
    "	mov %eax, %ss\n"
    "	mov $0x20, %eax\n"			/* PAE */
    "	mov %eax, %cr4\n"
    "	mov $0xfffc1000, %eax\n"		/* PML4 */
    "	mov %eax, %cr3\n"
    "	mov $0xc0000080, %ecx\n"		/* EFER: LME */
    "	rdmsr\n"
    "	or $0x100, %eax\n"
    "	wrmsr\n"
    "	mov $0x80000011, %eax\n"		/* PG, ET, PE */
    "	mov %eax, %cr0\n"
    "	ljmpl $24, $0xffff0000 + (guest_64 - guest_code)\n"
    ".code64\n"
    "guest_64:\n"
    "	mov $" NUMBER(SNP_PORT) ", %edx\n"
    "	in (%dx), %eax\n"
    "	mov %eax, %edi\n"
    "	shl $12, %rdi\n"
    "	in (%dx), %eax\n"
    "	mov %eax, %esi\n"
    "	in (%dx), %eax\n"
    "	cmp $" NUMBER(SNP_VERIFY) ", %eax\n"
    "	je 3f\n"
    "	ja 5f\n"
    "1:	mov %rdi, (%rdi)\n"
    "	add $4096, %rdi\n"
    "	dec %esi\n"
    "	jnz 1b\n"
    "	xor %eax, %eax\n"
    "2:	mov $" NUMBER(SNP_PORT) ", %edx\n"
    "	out %eax, (%dx)\n"
    "	jmp guest_64\n"
    "3:	xor %eax, %eax\n"
    "4:	mov (%rdi), %rcx\n"
    "	xor %rdi, %rcx\n"
    "	neg %rcx\n"				/* sets the carry unless it is 0 */
    "	adc $0, %eax\n"
    "	add $4096, %rdi\n"
    "	dec %esi\n"
    "	jnz 4b\n"
    "	jmp 2b\n"
    "5:	lea -" NUMBER(SNP_SHARE) "(%rax), %edx\n"
    "	shl $4, %edx\n"			/* KVM_MAP_GPA_RANGE_ENCRYPTED */
    "	mov %rdi, %rbx\n"
    "	mov %esi, %ecx\n"
    "	mov $12, %eax\n"			/* KVM_HC_MAP_GPA_RANGE */
    "	vmmcall\n"
    "	jmp 2b\n"
    "guest_code_end:\n"
    ".popsection\n");

static void put_guest(void)
{
	/* Code of 32 bits, data, code of 64 bits. */
	static const uint64_t gdt[] = { 0, 0x00cf9b000000ffff, 0x00cf93000000ffff,
					0x00af9b000000ffff };
	static const struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) gdt_pointer = { sizeof(gdt) - 1, GPA(GDT) };
	static const uint8_t jump[] = { 0xe9, 0x0d, 0 };	/* from RESET to CODE */
	uint64_t entry = GPA(PDPT) | 0x27;	/* present, writable, user, accessed */
	uint64_t i;

	memcpy(image + PML4, &entry, 8);
	for (i = 0; i < 512; i++) {
		entry = i << 30 | 0xe7;		/* also dirty, and of 1 GiB */
		memcpy(image + PDPT + i * 8, &entry, 8);
	}
	memcpy(image + GDT, gdt, sizeof(gdt));
	memcpy(image + GDT_POINTER, &gdt_pointer, sizeof(gdt_pointer));
	must(guest_code_end - guest_code <= GDT_POINTER - CODE);
	memcpy(image + CODE, guest_code, guest_code_end - guest_code);
	memcpy(image + RESET, jump, sizeof(jump));
}

int main(int argc, char **argv)
{
	const uint32_t metadata_offset = SIZE - METADATA, reset = 0xfffffff0;
	uint8_t *table = image + SIZE - AFTER_TABLE, *p;
	unsigned int a, b, c, d;
	int fd;

	must(argc == 2);
	memset(image, 0xf4, SIZE);
	put_guest();
	memcpy(image + METADATA, &metadata, sizeof(metadata));
	p = entry(table - 18, reset_guid, &reset, 4, 22);
	p = entry(p, metadata_guid, &metadata_offset, 4, 22);
	entry(table, table_guid, "", 0, table - p);

	fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0644);
	must(fd >= 0 && write(fd, image, SIZE) == SIZE);
	__cpuid_count(0x8000001f, 0, a, b, c, d);
	printf("%u\n", b & 0x3f);
	return 0;
}
