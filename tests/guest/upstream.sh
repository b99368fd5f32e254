# SPDX-License-Identifier: GPL-2.0-only
# Upstream's own selftests, of 7.3. guest_memfd_test passes without testing
# anything where the capability is missing or there is one node, so both first.

selftest()
{
	local status
	./$1 >/tmp/out 2>&1
	status=$?
	[ $status -eq 0 ]
	result $? "$2: $1"
	[ $status -eq 0 ] || {
		echo "# status $status"
		sed 's/^/# /' /tmp/out
	}
}

# selftests WHO [SUFFIX]
selftests()
{
	ok "$1: capability 244 is 3, and the rest works" ./probe present
	ok "$1: two nodes with memory" test "$(cat /sys/devices/system/node/has_memory)" = 0-1
	selftest guest_memfd_test "$1"
	selftest set_memory_region_test$2 "$1"
	selftest pre_fault_memory_test$2 "$1"
}

# Without the capability it must not pass unnoticed.
vacuous()
{
	./guest_memfd_test >/tmp/out 2>&1 && ./probe present >/dev/null 2>&1
}

echo "# $(uname -r)"
for t in guest_memfd_test set_memory_region_test pre_fault_memory_test; do
	ok "upstream's $t is there" test -x ./$t
done
if [ -e kvm-gmem-numa.ko ]; then
	nok "without the module: guest_memfd_test shows nothing" vacuous
	# If these two end, the shortened tests below are no longer needed.
	for t in set_memory_region_test pre_fault_memory_test; do
		nok "without the module: all of $t never ends" timeout 8 ./$t
	done
	ok "loads" load
	selftests "with the module" -6.12
	ok "no inode is left" no_inodes
	ok "unloads" unload
	nok "unloaded again: guest_memfd_test shows nothing" vacuous
else
	selftests "native"
fi
