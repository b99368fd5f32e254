// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/private_mem: VMs with private memory where the machine has neither SEV-SNP nor TDX, which no
 * emulator has. To KVM, a VM has private memory if a flag says so. What is missing then is what the
 * vendor module does with a page that becomes private. Here, a model of SNP's table of page owners
 * (RMP) takes its place: it is told about every such page through the same static calls of kvm.ko
 * as the vendor module, and notices what hardware would not forgive.
 *
 * The guest itself cannot touch its private memory, because only hardware can mark its accesses as
 * private. Pages are asked for by the ways that KVM and vendor modules have beside that.
 *
 * KVM tells the vendor module about pages since 6.11. Where it does not, there is no model: the VMs
 * become software-protected ones, which touch their memory, and the page table that KVM has made
 * for them says which pages are theirs.
 *
 * A page must not be populated and asked for at the same time. SNP cannot forgive that either, and
 * KVM relies on the order of an SNP launch to exclude it.
 */
#include <linux/cleanup.h>
#include <linux/file.h>
#include <linux/hash.h>
#include <linux/highmem.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/kvm_host.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/static_call.h>
#include <linux/xarray.h>

#include "private_mem.h"

#define MAX_PAGES (1UL << 20)	/* of one call */

#ifdef FREE_FPUT_IS_MISSING
DEFINE_FREE(fput, struct file *, _T ? fput(_T) : (void)0)
#endif

/* Kernels that give these functions to anybody at all give some of them to vendor modules only. */
DEFINE_STATIC_CALL_NULL(find_symbol, kallsyms_lookup_name);
DEFINE_STATIC_CALL_NULL(file_is_vm, file_is_kvm);
DEFINE_STATIC_CALL_NULL(gmem_get_pfn, kvm_gmem_get_pfn);
#if defined(POPULATE_IS_DECLARED) &&	\
	(defined(CONFIG_KVM_GENERIC_PRIVATE_MEM) || defined(CONFIG_HAVE_KVM_ARCH_GMEM_POPULATE))
#define HAS_POPULATE
DEFINE_STATIC_CALL_NULL(gmem_populate, kvm_gmem_populate);
#endif

#if defined(CONFIG_HAVE_KVM_ARCH_GMEM_CONVERT) || defined(CONFIG_HAVE_KVM_ARCH_GMEM_PREPARE)
#define HAS_RMP 1
#else
#define HAS_RMP 0
#endif

/* In kvm.ko; not in the headers of all kernels. */
static bool *tdp;

/*
 * The model: page frame number -> struct owner, for pages that are a guest's. Other pages are the
 * host's.
 */
struct owner {
	struct kvm *kvm;
	gfn_t gfn;
};

static DEFINE_XARRAY(rmp);
static atomic64_t assigned, prepared, reclaimed, wrong;
static char first_wrong[sizeof_field(struct private_mem_rmp, first)];
static DEFINE_SPINLOCK(first_wrong_lock);

/* Entered by everybody who is in the model, so that it is not unloaded meanwhile. */
DEFINE_STATIC_SRCU(model_srcu);

static __printf(1, 2) void rmp_wrong(const char *fmt, ...)
{
	char text[sizeof(first_wrong)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);

	scoped_guard(spinlock, &first_wrong_lock) {
		if (!first_wrong[0])
			strscpy(first_wrong, text, sizeof(first_wrong));
	}
	atomic64_inc(&wrong);
	pr_warn_ratelimited("private_mem: wrong: %s\n", text);
}

/* Stands for what the guest has in the page, encrypted: nobody else may write to it. */
static u64 ciphertext(kvm_pfn_t pfn)
{
	return hash_64(pfn, 64) | 1;
}

static void page_fill(kvm_pfn_t pfn, u64 word)
{
	u64 *p = kmap_local_page(pfn_to_page(pfn));

	memset64(p, word, PAGE_SIZE / sizeof(*p));
	kunmap_local(p);
}

static bool page_holds(kvm_pfn_t pfn, u64 word)
{
	u64 *p = kmap_local_page(pfn_to_page(pfn));
	size_t i;

	for (i = 0; i < PAGE_SIZE / sizeof(*p) && p[i] == word; i++)
		;
	kunmap_local(p);
	return i == PAGE_SIZE / sizeof(*p);
}

/* Only hands out a copy, because the page may become the host's at any time. */
static bool rmp_owner(kvm_pfn_t pfn, struct owner *owner)
{
	struct owner *o;

	xa_lock(&rmp);
	o = xa_load(&rmp, pfn);
	if (o)
		*owner = *o;
	xa_unlock(&rmp);
	return o;
}

static int rmp_assign(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn)
{
	struct owner *new = kmalloc(sizeof(*new), GFP_KERNEL), *old;

	if (!new)
		return -ENOMEM;

	new->kvm = kvm;
	new->gfn = gfn;
	/* The host cannot write to the page from here on. */
	page_fill(pfn, ciphertext(pfn));
	old = xa_cmpxchg(&rmp, pfn, NULL, new, GFP_KERNEL);
	if (!old) {
		atomic64_inc(&assigned);
		atomic64_inc(&prepared);
		return 0;
	}
	kfree(new);
	if (xa_is_err(old)) {
		page_fill(pfn, 0);
		return xa_err(old);
	}
	rmp_wrong("pfn %#llx was assigned twice at once, now for gfn %#llx", pfn, gfn);
	return 0;
}

/* KVM wants a page to be the guest's. It may ask again for one that is. */
static int __maybe_unused rmp_make_private(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn)
{
	struct owner owner;

	if (!rmp_owner(pfn, &owner)) {
		if (!page_holds(pfn, 0))
			rmp_wrong("gfn %#llx: pfn %#llx was not cleared", gfn, pfn);
		return rmp_assign(kvm, gfn, pfn);
	}

	if (owner.kvm != kvm || owner.gfn != gfn)
		rmp_wrong("gfn %#llx: pfn %#llx is already gfn %#llx of %s VM", gfn, pfn, owner.gfn,
			  owner.kvm == kvm ? "the same" : "another");
	else if (!page_holds(pfn, ciphertext(pfn)))
		rmp_wrong("gfn %#llx: pfn %#llx was overwritten, and is asked for again", gfn, pfn);
	return 0;
}

/* KVM frees a page. It may never have been the guest's. */
static void __maybe_unused rmp_make_shared(kvm_pfn_t pfn)
{
	struct owner *owner = xa_erase(&rmp, pfn);

	if (!owner)
		return;

	if (!page_holds(pfn, ciphertext(pfn)))
		rmp_wrong("gfn %#llx: pfn %#llx was overwritten before it was freed", owner->gfn,
			  pfn);
	atomic64_dec(&assigned);
	atomic64_inc(&reclaimed);
	kfree(owner);
}

/*
 * With the model, no VM but those of PRIVATE_MEM_MAKE has private memory and the default type.
 * Without it, those of PRIVATE_MEM_MAKE are like any software-protected VM.
 */
static bool modelled(struct kvm *kvm)
{
	bool is_default = kvm->arch.vm_type == KVM_X86_DEFAULT_VM;

	return kvm_arch_has_private_mem(kvm) && is_default == HAS_RMP;
}

/* Since 6.10, a flag of each VM says whether it has private memory; before, its type does. */
static void have_private_memory(struct kvm *kvm)
{
	if (!HAS_RMP)
		kvm->arch.vm_type = KVM_X86_SW_PROTECTED_VM;
#ifdef PRIVATE_MEM_FLAG
	kvm->arch.has_private_mem = true;
#endif
}

/* What KVM calls of its vendor module, and what it would call without this module. */
enum {
	MAKE_PRIVATE,
	MAKE_SHARED,
	NR_OPS
};

static struct vendor_op {
	const char *name;
	void *model, *vendor;
	struct static_call_key *key;
	void *tramp;
} vendor_ops[NR_OPS];

#ifdef CONFIG_HAVE_KVM_ARCH_GMEM_CONVERT
static int model_make_private(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn, kvm_pfn_t nr)
{
	typeof(&model_make_private) vendor = vendor_ops[MAKE_PRIVATE].vendor;

	if (!modelled(kvm))
		return vendor ? vendor(kvm, gfn, pfn, nr) : 0;
	if (nr != 1)
		rmp_wrong("gfn %#llx: %llu pages at once", gfn, nr);
	guard(srcu)(&model_srcu);
	return rmp_make_private(kvm, gfn, pfn);
}
#elif defined(CONFIG_HAVE_KVM_ARCH_GMEM_PREPARE)
static int model_prepare(struct kvm *kvm, kvm_pfn_t pfn, gfn_t gfn, int order)
{
	typeof(&model_prepare) vendor = vendor_ops[MAKE_PRIVATE].vendor;

	if (!modelled(kvm))
		return vendor ? vendor(kvm, pfn, gfn, order) : 0;
	if (order)
		rmp_wrong("gfn %#llx: a page of order %d", gfn, order);
	guard(srcu)(&model_srcu);
	return rmp_make_private(kvm, gfn, pfn);
}
#endif

#ifdef CONFIG_HAVE_KVM_ARCH_GMEM_RECLAIM
static void model_make_shared(kvm_pfn_t pfn, kvm_pfn_t nr)
{
	typeof(&model_make_shared) vendor = vendor_ops[MAKE_SHARED].vendor;
	kvm_pfn_t i;

	guard(srcu)(&model_srcu);
	for (i = pfn; i < pfn + nr; i++)
		rmp_make_shared(i);
	if (vendor)
		vendor(pfn, nr);
}
#elif defined(CONFIG_HAVE_KVM_ARCH_GMEM_PREPARE)
static void model_invalidate(kvm_pfn_t start, kvm_pfn_t end)
{
	typeof(&model_invalidate) vendor = vendor_ops[MAKE_SHARED].vendor;
	kvm_pfn_t i;

	guard(srcu)(&model_srcu);
	for (i = start; i < end; i++)
		rmp_make_shared(i);
	if (vendor)
		vendor(start, end);
}
#endif

static struct vendor_op vendor_ops[NR_OPS] = {
#ifdef CONFIG_HAVE_KVM_ARCH_GMEM_CONVERT
	[MAKE_PRIVATE] = { "gmem_make_private", model_make_private },
#elif defined(CONFIG_HAVE_KVM_ARCH_GMEM_PREPARE)
	[MAKE_PRIVATE] = { "gmem_prepare", model_prepare },
#endif
#ifdef CONFIG_HAVE_KVM_ARCH_GMEM_RECLAIM
	[MAKE_SHARED] = { "gmem_make_shared", model_make_shared },
#elif defined(CONFIG_HAVE_KVM_ARCH_GMEM_PREPARE)
	[MAKE_SHARED] = { "gmem_invalidate", model_invalidate },
#endif
};

/* A VM may be freed, and another one be at its address, but not while its descriptor is open. */
static struct kvm *vm_of(struct file *file)
{
	return file && static_call(file_is_vm)(file) ? file->private_data : NULL;
}

static bool vm_is_fresh(struct kvm *kvm)
{
	int i;

	for (i = 0; i < KVM_MAX_NR_ADDRESS_SPACES; i++) {
		if (!kvm_memslots_empty(__kvm_memslots(kvm, i)))
			return false;
	}
	/* Every vCPU and every guest_memfd is a user, and the descriptor is. */
	return !kvm->created_vcpus && refcount_read(&kvm->users_count) == 1;
}

static long make(unsigned long fd)
{
	struct file *file __free(fput) = fget(fd);
	struct kvm *kvm = vm_of(file);

	if (!kvm)
		return -EBADF;
	if (kvm->arch.vm_type != KVM_X86_DEFAULT_VM || !*tdp)
		return -EOPNOTSUPP;

	guard(mutex)(&kvm->lock);
	guard(mutex)(&kvm->slots_lock);
	if (kvm_arch_has_private_mem(kvm) || !vm_is_fresh(kvm))
		return -EBUSY;
	have_private_memory(kvm);
	return 0;
}

#ifdef HAS_POPULATE
static void copy_source(kvm_pfn_t pfn, const void *from)
{
	void *to = kmap_local_page(pfn_to_page(pfn));

	memcpy(to, from, PAGE_SIZE);
	kunmap_local(to);
}

#ifdef POPULATE_GIVES_PAGE
static int post_populate(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn, struct page *source,
			 void *opaque)
{
	struct owner owner;

	if (rmp_owner(pfn, &owner))
		return -EEXIST;
	if (source) {
		void *from = kmap_local_page(source);

		copy_source(pfn, from);
		kunmap_local(from);
	}
	return rmp_assign(kvm, gfn, pfn);
}
#else
static int post_populate(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn, void __user *source, int order,
			 void *opaque)
{
	void *buffer __free(kfree) = kmalloc(PAGE_SIZE, GFP_KERNEL);
	struct owner owner;

	if (!buffer)
		return -ENOMEM;
	if (order)
		rmp_wrong("gfn %#llx: a page of order %d is populated", gfn, order);
	if (rmp_owner(pfn, &owner))
		return -EEXIST;
	if (source && copy_from_user(buffer, source, PAGE_SIZE))
		return -EFAULT;
	if (source)
		copy_source(pfn, buffer);
	return rmp_assign(kvm, gfn, pfn);
}
#endif

#ifdef POPULATE_MAY_WRITE_BACK
#define populate_pages(kvm, gfn, src, n) \
	static_call(gmem_populate)(kvm, gfn, src, n, false, post_populate, NULL)
#else
#define populate_pages(kvm, gfn, src, n) \
	static_call(gmem_populate)(kvm, gfn, src, n, post_populate, NULL)
#endif

static long populate(struct kvm *kvm, const struct private_mem_populate *p)
{
	if (p->pad || !p->npages || p->npages > MAX_PAGES || !PAGE_ALIGNED(p->src))
		return -EINVAL;
	guard(mutex)(&kvm->slots_lock);
	return populate_pages(kvm, p->gfn, u64_to_user_ptr(p->src), p->npages);
}
#endif /* HAS_POPULATE */

static struct kvm_memory_slot *gmem_slot(struct kvm *kvm, gfn_t gfn)
{
	struct kvm_memory_slot *slot = __gfn_to_memslot(kvm_memslots(kvm), gfn);

	return slot && slot->flags & KVM_MEM_GUEST_MEMFD ? slot : NULL;
}

static long get_page_of(struct kvm *kvm, const struct private_mem_page *p)
{
	struct kvm_memory_slot *slot;
	struct page *page = NULL;
	kvm_pfn_t pfn;
	int err, order;

	if (p->pad)
		return -EINVAL;

	guard(srcu)(&kvm->srcu);
	slot = gmem_slot(kvm, p->gfn);
	if (!slot || !kvm_mem_is_private(kvm, p->gfn))
		return -EINVAL;
#ifdef GET_PFN_GIVES_PAGE
	err = static_call(gmem_get_pfn)(kvm, slot, p->gfn, &pfn, &page, &order);
#else
	err = static_call(gmem_get_pfn)(kvm, slot, p->gfn, &pfn, &order);
	page = pfn_to_page(pfn);
#endif
	if (err)
		return err;
	put_page(page);
	return 0;
}

static int cached_node(struct kvm *kvm, gfn_t gfn)
{
	struct file *file __free(fput) = NULL;
	struct kvm_memory_slot *slot;
	struct folio *folio;
	int node;

	guard(srcu)(&kvm->srcu);
	slot = gmem_slot(kvm, gfn);
	if (!slot)
		return PRIVATE_MEM_NO_FILE;
	file = get_file_active(&slot->gmem.file);
	if (!file)
		return PRIVATE_MEM_NO_FILE;

	folio = filemap_get_folio(file->f_mapping, gfn - slot->base_gfn + slot->gmem.pgoff);
	if (IS_ERR(folio))
		return PRIVATE_MEM_NO_PAGE;
	node = folio_nid(folio);
	folio_put(folio);
	return node;
}

static void rmp_nodes(struct kvm *kvm, gfn_t gfn, u64 npages, s8 *nodes)
{
	struct owner *owner;
	unsigned long pfn;

	memset(nodes, PRIVATE_MEM_NO_PAGE, npages);
	xa_lock(&rmp);
	xa_for_each(&rmp, pfn, owner) {
		if (owner->kvm == kvm && owner->gfn >= gfn && owner->gfn - gfn < npages)
			nodes[owner->gfn - gfn] = pfn_to_nid(pfn);
	}
	xa_unlock(&rmp);
}

/* SPTE_MMU_PRESENT_MASK, by which KVM knows its own entries. */
#define SPTE_PRESENT BIT_ULL(11)

/* Without shadow paging, the table is one of AMD's for nested paging, which are as any other. */
static int mapped_node(const struct kvm_mmu *mmu, gfn_t gfn)
{
	hpa_t table = mmu->root.hpa;
	int level = mmu->root_role.level;
	u64 spte;

	if (!VALID_PAGE(table))
		return PRIVATE_MEM_NO_PAGE;
	for (;; level--) {
		unsigned int i = gfn >> (level - 1) * (PAGE_SHIFT - 3) & (PAGE_SIZE / 8 - 1);

		spte = READ_ONCE(((u64 *)__va(table))[i]);
		if (!(spte & SPTE_PRESENT))
			return PRIVATE_MEM_NO_PAGE;
		if (level == 1 || spte & _PAGE_PSE)
			return pfn_to_nid((spte & PHYSICAL_PAGE_MASK) >> PAGE_SHIFT);
		table = spte & PHYSICAL_PAGE_MASK;
	}
}

static void mapped_nodes(struct kvm *kvm, gfn_t gfn, u64 npages, s8 *nodes)
{
	struct kvm_vcpu *vcpu = kvm_get_vcpu(kvm, 0);
	u64 i;

	memset(nodes, PRIVATE_MEM_NO_PAGE, npages);
	for (i = 0; vcpu && i < npages; i++) {
		read_lock(&kvm->mmu_lock);
		nodes[i] = mapped_node(&vcpu->arch.root_mmu, gfn + i);
		read_unlock(&kvm->mmu_lock);
		cond_resched();
	}
}

static long get_nodes(struct kvm *kvm, const struct private_mem_nodes *n)
{
	s8 *nodes __free(kvfree) = NULL;
	u64 i;

	if (!n->npages || n->npages > MAX_PAGES || n->witness > PRIVATE_MEM_GUEST)
		return -EINVAL;
	nodes = kvmalloc(n->npages, GFP_KERNEL);
	if (!nodes)
		return -ENOMEM;

	if (n->witness == PRIVATE_MEM_GUEST && HAS_RMP)
		rmp_nodes(kvm, n->gfn, n->npages, nodes);
	else if (n->witness == PRIVATE_MEM_GUEST)
		mapped_nodes(kvm, n->gfn, n->npages, nodes);
	for (i = 0; i < n->npages && n->witness == PRIVATE_MEM_PAGE_CACHE; i++) {
		nodes[i] = cached_node(kvm, n->gfn + i);
		cond_resched();
	}
	return copy_to_user(u64_to_user_ptr(n->nodes), nodes, n->npages) ? -EFAULT : 0;
}

static long get_rmp(void __user *to)
{
	struct private_mem_rmp r = {
		.assigned = atomic64_read(&assigned),
		.prepared = atomic64_read(&prepared),
		.reclaimed = atomic64_read(&reclaimed),
		.wrong = atomic64_read(&wrong),
	};

	scoped_guard(spinlock, &first_wrong_lock)
		strscpy(r.first, first_wrong, sizeof(r.first));
	if (!HAS_RMP)
		return -ENODEV;
	return copy_to_user(to, &r, sizeof(r)) ? -EFAULT : 0;
}

/* Each of these structs begins with the VM's descriptor. */
static long vm_call(unsigned int cmd, void __user *from)
{
	union {
		s32 vm;
		struct private_mem_populate populate;
		struct private_mem_nodes nodes;
		struct private_mem_page page;
	} arg;
	struct file *file __free(fput) = NULL;
	struct kvm *kvm;

	if (copy_from_user(&arg, from, _IOC_SIZE(cmd)))
		return -EFAULT;
	file = fget(arg.vm);
	kvm = vm_of(file);
	if (!kvm)
		return -EBADF;
	/* What is in the page cache can be asked of any VM. */
	if (!modelled(kvm) && cmd != PRIVATE_MEM_NODES)
		return -EINVAL;

	switch (cmd) {
#ifdef HAS_POPULATE
	case PRIVATE_MEM_POPULATE:
		return populate(kvm, &arg.populate);
#endif
	case PRIVATE_MEM_NODES:
		return get_nodes(kvm, &arg.nodes);
	default:
		return get_page_of(kvm, &arg.page);
	}
}

static long private_mem_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case PRIVATE_MEM_MAKE:
		return make(arg);
	case PRIVATE_MEM_GET_RMP:
		return get_rmp((void __user *)arg);
#ifdef HAS_POPULATE
	case PRIVATE_MEM_POPULATE:
#endif
	case PRIVATE_MEM_NODES:
	case PRIVATE_MEM_GET_PAGE:
		return vm_call(cmd, (void __user *)arg);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations private_mem_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = private_mem_ioctl,
};

static struct miscdevice private_mem_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "private_mem",
	.fops = &private_mem_fops,
	.mode = 0600,
};

#define make_callable(call, fn, address) \
	__static_call_update(&STATIC_CALL_KEY(call), STATIC_CALL_TRAMP_ADDR(call),	\
			     (typeof(&fn))(address))

/* A kprobe finds the one function that finds all else. */
static int find_lookup(void)
{
	struct kprobe kp = { .symbol_name = "kallsyms_lookup_name", .flags = KPROBE_FLAG_DISABLED };
	int err = register_kprobe(&kp);

	if (err)
		return err;
	make_callable(find_symbol, kallsyms_lookup_name, kp.addr);
	unregister_kprobe(&kp);
	return 0;
}

static void *find(const char *prefix, const char *name)
{
	char symbol[KSYM_NAME_LEN];
	unsigned long at;

	snprintf(symbol, sizeof(symbol), "%s%s", prefix, name);
	at = static_call(find_symbol)(symbol);
	if (!at)
		pr_err("private_mem: this kernel has no %s\n", symbol);
	return (void *)at;
}

static int find_all(void)
{
	struct vendor_op *op;
	void *at;
	int err = find_lookup();

	if (err)
		return err;

	tdp = find("", "tdp_enabled");
	if (!tdp)
		return -ENOENT;
	at = find("", "file_is_kvm");
	if (!at)
		return -ENOENT;
	make_callable(file_is_vm, file_is_kvm, at);
	at = find("", "kvm_gmem_get_pfn");
	if (!at)
		return -ENOENT;
	make_callable(gmem_get_pfn, kvm_gmem_get_pfn, at);
#ifdef HAS_POPULATE
	at = find("", "kvm_gmem_populate");
	if (!at)
		return -ENOENT;
	make_callable(gmem_populate, kvm_gmem_populate, at);
#endif

	for (op = vendor_ops; op < vendor_ops + NR_OPS && op->name; op++) {
		op->key = find("__SCK__kvm_x86_", op->name);
		op->tramp = find("__SCT__kvm_x86_", op->name);
		if (!op->key || !op->tramp)
			return -ENOENT;
	}
	return 0;
}

/* A vendor module that was loaded again in between has put in its own functions. */
static void vendor_ops_restore(void)
{
	struct vendor_op *op;

	for (op = vendor_ops; op < vendor_ops + NR_OPS && op->name; op++) {
		if (op->key->func == op->model)
			__static_call_update(op->key, op->tramp, op->vendor);
	}
}

static int __init private_mem_init(void)
{
	struct vendor_op *op;
	int err = find_all() ?: misc_register(&private_mem_device);

	if (err)
		return err;
	for (op = vendor_ops; op < vendor_ops + NR_OPS && op->name; op++) {
		op->vendor = op->key->func;
		__static_call_update(op->key, op->tramp, op->model);
	}
	return 0;
}

static void __exit private_mem_exit(void)
{
	struct owner *owner;
	unsigned long pfn;

	misc_deregister(&private_mem_device);
	vendor_ops_restore();
	/* For tasks that are in the model but not yet, or no longer, in its SRCU section. */
	synchronize_rcu_tasks();
	synchronize_srcu(&model_srcu);
	if (atomic64_read(&assigned))
		pr_warn("private_mem: unloaded while %lld pages are a guest's\n",
			atomic64_read(&assigned));
	xa_for_each(&rmp, pfn, owner)
		kfree(owner);
	xa_destroy(&rmp);
}

module_init(private_mem_init);
module_exit(private_mem_exit);
MODULE_DESCRIPTION("Test: private memory without SEV-SNP and TDX");
MODULE_LICENSE("GPL");
