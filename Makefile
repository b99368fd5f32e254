# SPDX-License-Identifier: GPL-2.0-only
#
#   make		build the module for the running kernel
#   make KDIR=DIR	for the kernel whose build folder that is
#   make demo		see it work, in QEMU
#   make check		run all tests, in QEMU
#   make check-mutants	put faults into the module, see the tests notice

KDIR ?= /lib/modules/$(shell uname -r)/build

all: modules

modules clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) $@

modules_install: modules
	$(MAKE) -C $(KDIR) M=$(CURDIR) $@

demo check:
	tests/run $@

check-mutants:
	tests/run mutants

.PHONY: all modules modules_install clean demo check check-mutants
