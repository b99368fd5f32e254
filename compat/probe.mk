# SPDX-License-Identifier: GPL-2.0-only
#
# Asks the kernel's headers, through kbuild, which interfaces this kernel has. Included by Kbuild.
#
# There is one file in probes/ for each difference between kernels. PROBE_NEW compiles if the interface is
# that of newer kernels. If it does not compile, PROBE_OLD compiles if the interface is that of older
# kernels; for an interface that older kernels lack, PROBE_ODD compiles if the kernel has something of
# the kind all the same. If the interface is neither the new nor the old one, this source does not know the
# kernel, and the build stops.
#
# kbuild runs the probes again when a header that they include, the configuration, the compiler or its flags
# change. The answers are written to have.h, for the shims beside this file, and to have.mk. The latter is
# an included makefile, so make brings it up to date before anything else and then reads it.
#
#   make GMEM_FORCE=1	leave guest_memfd out instead of stopping. For testing.

gmem-probes := $(basename $(notdir $(wildcard $(src)/compat/probes/*.c)))
gmem-answers := $(patsubst %,$(obj)/compat/probes/%.answer,$(gmem-probes) NATIVE_POLICY)

targets += $(patsubst %,compat/probes/%.answer,$(gmem-probes)) compat/have.h compat/have.mk
clean-files += compat/have.h compat/have.mk compat/probes/*.answer compat/probes/*.log

# The subject of a file in probes/ is its first comment.
gmem-subject = sed -n 's|^/\* \(.*\) \*/$$|\1|p' $(1) | head -n 1

# The flags of the module's own objects.
$(gmem-answers): part-of-module := y

gmem-ask = $(CC) $(c_flags) -D$(1) -fsyntax-only $< 2>>$@.log

gmem-is-odd = { grep -q PROBE_ODD $< && $(call gmem-ask,PROBE_ODD); }

quiet_cmd_gmem_probe = PROBE   $(notdir $*)
      cmd_gmem_probe = : >$@.log; \
	if $(call gmem-ask,PROBE_NEW); then echo 'HAVE_$(notdir $*) y' >$@; \
	elif ! $(gmem-is-odd) && $(call gmem-ask,PROBE_OLD); then echo 'HAVE_$(notdir $*) n' >$@; \
	else echo "UNKNOWN $$($(call gmem-subject,$<)); a newer kvm-gmem-numa may know it" >$@; \
		touch $(depfile); fi

$(obj)/compat/probes/%.answer: $(src)/compat/probes/%.c FORCE
	$(call if_changed_dep,gmem_probe)

# From 6.19 on, kvm.ko has NUMA policies itself, and the functions behind them are exported to it alone.
# No header shows this.
gmem-symvers = $(firstword $(wildcard $(objtree)/Module.symvers $(srctree)/Module.symvers))
define filechk_gmem_native_policy
	if [ -z "$(gmem-symvers)" ]; then \
		echo "UNKNOWN Module.symvers: there is none, build this kernel's modules first"; \
	elif grep -qE '\<mpol_set_shared_policy\>.*\<kvm\>' $(gmem-symvers); then \
		echo HAVE_NATIVE_POLICY y; \
	else \
		echo HAVE_NATIVE_POLICY n; \
	fi
endef

$(obj)/compat/probes/NATIVE_POLICY.answer: FORCE
	$(call filechk,gmem_native_policy)

filechk_gmem_have_h = sed -n 's/^\(HAVE_.*\) y$$/\#define \1 1/p' $(gmem-answers)

# An unknown interface matters only where the module provides guest_memfd, not on a kernel that has it.
gmem-needed = ! grep -qx 'HAVE_NATIVE_POLICY y' $(gmem-answers)
# Where supported.h refuses the kernel, no probe compiles, and the reason that counts is supported.h's.
gmem-complaint = { sed -n 's/.*error: .*\(kvm-gmem-numa: \)/\1/p' $(patsubst %,$(obj)/compat/probes/%.answer.log,$(gmem-probes)) | sort -u | grep . || \
	sed -n 's/^UNKNOWN /kvm-gmem-numa: this kernel is not supported: /p' $(gmem-answers); }

define filechk_gmem_have_mk
	$(if $(GMEM_FORCE),,if $(gmem-needed) && $(gmem-complaint) | grep . >&2; then exit 1; fi;) \
	sed -n -e 's/^\(HAVE_.*\) y$$/\1 := y/p' \
		-e 's/^HAVE_\(.*\) n$$/gmem-older += \1/p' \
		-e 's/^UNKNOWN .*/gmem-unknown := y/p' $(gmem-answers)
endef

$(obj)/compat/have.h: $(gmem-answers) FORCE
	$(call filechk,gmem_have_h)

$(obj)/compat/have.mk: $(gmem-answers) $(obj)/compat/have.h FORCE
	$(call filechk,gmem_have_mk)

# What the objects refer to must be exported to all modules. No header shows this, either: an inline function
# can refer to something that is not.
always-y += compat/exports
targets += compat/exports
clean-files += compat/exports

# Module.symvers: CRC, symbol, module, kind of export, and the namespace, if it is restricted to one.
gmem-not-exported = $(NM) -u $< | awk -F '[\t ]+' \
	'NR == FNR { if ($$5 == "") exported[$$2]; next } \
	$$(NF - 1) == "U" && $$NF != "__this_module" && !($$NF in exported) { print $$NF }' $(gmem-symvers) - | \
	paste -sd ' '

quiet_cmd_gmem_exports = EXPORTS $(notdir $<)
      cmd_gmem_exports = missing=$$($(gmem-not-exported)); \
	if [ -n "$$missing" ]; then \
		echo "kvm-gmem-numa: this kernel is not supported: it does not export $$missing; a newer kvm-gmem-numa may know it" >&2; \
		exit 1; \
	fi; \
	touch $@

$(obj)/compat/exports: $(obj)/kvm-gmem-numa.o FORCE
	$(call if_changed,gmem_exports)

# Kbuild is also read to clean up and to link, and then nothing is asked.
ifneq ($(filter %/Makefile.build,$(MAKEFILE_LIST)),)
include $(obj)/compat/have.mk
endif
