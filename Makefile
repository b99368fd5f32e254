# SPDX-License-Identifier: GPL-2.0-only
#
#   make		build the module for the running kernel
#   make KDIR=DIR	for the kernel whose build folder that is
#   make demo		see it work, in QEMU
#   make check		run all tests, in QEMU, on Debian 12's 6.12
#   make check KDIR=DIR	run those for the module on a kernel tree that was built
#   make check-kernels	run them on every kernel that Debian has in range, and write
#			the README's table; KERNELS=REGEX picks some and writes none
#   make bench		count instructions against native 7.3 and memfd, and write
#			docs/performance.md
#   make check-debug	run tests on a 6.12 with KASAN, lockdep and kmemleak
#   make check-stress	hunt faults for some hours, and write the figures into
#			docs/robustness.md; STRESS=REGEX picks some
#   make fuzz		random calls beside a model, for FUZZ_MINUTES (60)
#   make check-mutants	put faults into the module, see the tests notice
#
#   make deb rpm		build packages, into dist/
#   make check-packages	install, upgrade and remove them on Debian 12 and 13, and print a table
#   make check-fleet	roll them out on two hosts that boot, once well and once not, and write
#			docs/fleet.md
#   make install-source	put what DKMS builds into /usr/src, and when to load the module into
#			/usr/lib/udev/rules.d; below DESTDIR

KDIR ?= /lib/modules/$(shell uname -r)/build

all: modules

modules clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) $@

modules_install: modules
	$(MAKE) -C $(KDIR) M=$(CURDIR) $@

# Only a KDIR that was asked for: the running kernel is nothing to test on.
asked-for-kdir := $(if $(filter command environment,$(firstword $(origin KDIR))),$(abspath $(KDIR)))

demo check bench fuzz:
	GMEM_KERNEL=$(asked-for-kdir) tests/run $@

check-kernels:
	tests/run kernels

check-debug:
	tests/run debug

check-stress:
	tests/run stress

check-mutants:
	tests/run mutants

check-packages:
	tests/run packages

check-fleet:
	tests/run fleet

deb rpm:
	packaging/build.sh $@ dist

# What the module is built from, with every question that is asked of a kernel, and nothing
# that a build has left; and what dkms calls when it was.
dkms-source = Kbuild dkms.conf packaging/boot/initramfs.sh $(sort $(shell find compat include src \
	-name '*.[ch]' ! -name have.h -o -name '*.mk' ! -name have.mk -o -name '*.sh'))
version := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)

# What goes is an earlier version's, which had the module loaded by a softdep.
install-source:
	for f in $(dkms-source); do \
		install -D -m $$([ -x $$f ] && echo 755 || echo 644) \
			$$f $(DESTDIR)/usr/src/kvm-gmem-numa-$(version)/$$f || exit; \
	done
	install -D -m 644 -t $(DESTDIR)/usr/lib/udev/rules.d packaging/boot/80-kvm-gmem-numa.rules
	rm -f $(DESTDIR)/usr/lib/modprobe.d/kvm-gmem-numa.conf

.PHONY: all modules modules_install clean demo check bench fuzz check-kernels check-debug check-stress \
	check-mutants check-packages check-fleet deb rpm install-source
