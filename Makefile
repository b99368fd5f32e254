# SPDX-License-Identifier: GPL-2.0-only
#
# `make help` lists the targets, from the comments with ## below.

KDIR ?= /lib/modules/$(shell uname -r)/build

## The module

all: modules

modules: ## build the module for the running kernel, or for the one whose build folder is KDIR=DIR
modules clean: ## remove what builds have left
	$(MAKE) -C $(KDIR) M=$(CURDIR) $@

modules_install: modules ## install it for that kernel, without DKMS
	$(MAKE) -C $(KDIR) M=$(CURDIR) $@

## See and test it, on kernels that are booted in QEMU

# Only a KDIR that was given: no tests run on the running kernel.
asked-for-kdir := $(if $(filter command environment,$(firstword $(origin KDIR))),$(abspath $(KDIR)))

demo: ## see it work
try: ## run one test program, PROGRAM=NAME, soon after a change
check: ## run all tests on Debian 12's 6.12; with KDIR=DIR on a kernel tree that you built
fuzz: ## make random calls beside a model, for FUZZ_MINUTES (60)
bench: ## count instructions against native 7.3 and memfd, and write docs/performance.md
demo try check bench fuzz:
	@GMEM_KERNEL=$(asked-for-kdir) tests/run $@

check-kernels: ## test on each of Debian's kernels, and write docs/kernels.md; KERNELS=REGEX selects some
check-debug: ## test on a 6.12 with KASAN, lockdep and kmemleak
check-stress: ## hunt faults for some hours, and write docs/robustness.md; STRESS=REGEX selects some
check-mutants: ## put faults into the module, and see the tests notice; MUTANTS=REGEX selects some
check-packages: ## install, upgrade and remove the packages on Debian 12 and 13, and print a table
check-fleet: ## roll the packages out on two hosts that boot, once well and once not, and write docs/fleet-run.md
check-kernels check-debug check-stress check-mutants check-packages check-fleet:
	@tests/run $(@:check-%=%)

## Packages

deb: ## build Debian packages, into dist/
rpm: ## build an rpm, into dist/
deb rpm:
	packaging/build.sh $@ dist

# What the module is built from, with the probes of all kernels and nothing that a build has left; and the script
# that dkms calls afterwards.
dkms-source = Kbuild dkms.conf packaging/boot/initramfs.sh $(sort $(shell find compat include src \
	-name '*.[ch]' ! -name have.h -o -name '*.mk' ! -name have.mk -o -name '*.sh'))
version := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)

# The file that is removed is an earlier version's, which had the module loaded by a softdep.
install-source: ## install the source for DKMS and the udev rule that loads the module, below DESTDIR
	for f in $(dkms-source); do \
		install -D -m $$([ -x $$f ] && echo 755 || echo 644) \
			$$f $(DESTDIR)/usr/src/kvm-gmem-numa-$(version)/$$f || exit; \
	done
	install -D -m 644 -t $(DESTDIR)/usr/lib/udev/rules.d packaging/boot/80-kvm-gmem-numa.rules
	rm -f $(DESTDIR)/usr/lib/modprobe.d/kvm-gmem-numa.conf

help: ## print this
	@awk -F ':.*## ' '/^## / { printf "\n%s\n\n", substr($$0, 4) } \
		/^[a-z_ -]+:.*## / { n = split($$1, target, " "); printf "  %-16s %s\n", target[n], $$2 }' Makefile

.PHONY: all modules modules_install clean demo try check bench fuzz check-kernels check-debug check-stress \
	check-mutants check-packages check-fleet deb rpm install-source help
