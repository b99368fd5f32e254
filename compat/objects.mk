# SPDX-License-Identifier: GPL-2.0-only
#
# The objects that this kernel needs, by the answers in have.mk. Included by Kbuild. kvm_hooks.h makes the
# same choice of hooks for the compiler.

# Why guest_memfd is left to the kernel, or left out; empty where the module provides it.
gmem-state :=
ifneq ($(HAVE_NATIVE_POLICY),)
gmem-state := native
else ifeq ($(CONFIG_NUMA),)
gmem-state := unavailable: this kernel has no NUMA (CONFIG_NUMA)
else ifeq ($(CONFIG_XARRAY_MULTI),)
gmem-state := unavailable: this kernel has no CONFIG_XARRAY_MULTI
else ifneq ($(gmem-unknown),)
gmem-state := unavailable: built with GMEM_FORCE for an unknown kernel
endif

# The same for private memory. The module adds pages to a page cache of KVM's there, and what such a page means to KVM is
# written in no header. So a kernel that is newer than any whose source was read is left alone, also if all
# interfaces are as before. This is the only place where a version decides.
private-read-until := 7 3
private-newer := $(shell set -- $(private-read-until); \
	[ $(VERSION) -lt $$1 ] || { [ $(VERSION) -eq $$1 ] && [ $(PATCHLEVEL) -le $$2 ]; } || echo y)

private-state :=
ifeq ($(CONFIG_KVM_PRIVATE_MEM)$(CONFIG_KVM_GUEST_MEMFD),)
private-state := unavailable: this kernel has no private memory
else ifeq ($(CONFIG_NUMA),)
private-state := unavailable: this kernel has no NUMA (CONFIG_NUMA)
else ifneq ($(gmem-unknown)$(private-newer),)
private-state := unavailable: this kernel is newer than the module
endif

compat-objs := src/hooks/arch_vm_ioctl.o
compat-objs += $(if $(HAVE_KVM_GUEST_TSC_PROTECTED),src/hooks/arch_vcpu_ioctl.o)

ifeq ($(gmem-state),)
compat-objs += $(addprefix src/gmem/, create.o inode.o bind.o fault.o fault_errno.o \
	folio.o huge.o policy.o fallocate.o hole.o poison.o release.o symbols.o zap.o)

compat-objs += $(addprefix src/hooks/, check_extension.o free_memslot.o memslot.o \
	prepare_memory_region.o vm_ioctl.o)
compat-objs += $(if $(CONFIG_TRANSPARENT_HUGEPAGE),src/hooks/max_mapping_level.o)
compat-objs += $(if $(HAVE_KVM_FAULTIN_PFN), \
	$(addprefix src/hooks/, faultin_pfn.o prefetch_pages.o), \
	$(addprefix src/hooks/, gfn_to_pfn.o gfn_to_pfn_atomic.o gfn_to_page_many.o))
compat-objs += $(if $(HAVE_KVM_SET_REGION_STATIC),src/hooks/set_region_by_ioctl.o,src/hooks/set_region.o)
else
ccflags-y += '-DCOMPAT_GUEST_MEMFD_STATE="$(gmem-state)"'
endif

ifeq ($(private-state),)
compat-objs += $(addprefix src/private/, count.o file.o place.o policy.o)
compat-objs += $(addprefix src/hooks/, gmem_create.o gmem_fallocate.o gmem_get_pfn.o gmem_release.o)
compat-objs += $(if $(HAVE_KVM_GMEM_POPULATE),src/hooks/gmem_populate.o)
else
ccflags-y += '-DCOMPAT_PRIVATE_POLICY_STATE="$(private-state)"'
endif

compat-objs += $(if $(and $(gmem-state),$(private-state)),,src/mempolicy.o)
