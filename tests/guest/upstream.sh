# SPDX-License-Identifier: GPL-2.0-only
# Upstream's own selftests, of 7.3. guest_memfd_test passes without testing anything where the
# capability is missing or where there is one node, so both are checked before it runs.

tests="guest_memfd_test set_memory_region_test pre_fault_memory_test private_mem_conversions_test
	private_mem_kvm_exits_test"

# verdict TEST SECONDS: print the exit status: 0, 1, 4 (skipped), or 143 if the test did not end in time. Only the tests
# of private memory get software-protected VMs: others use them as well if there are any, and then fail on
# what older kernels do wrong, with or without the module.
verdict()
{
	case $1 in
	private_mem_*) sw_protected ;;
	esac
	timeout $2 ./$1 >/tmp/test.out 2>&1
	echo $?
	rmmod sw_protected 2>/dev/null
}

# In seconds of the guest's clock, which counts instructions. The longest test takes a minute. A test that passed within
# the first limit without the module has the second with it.
seconds=240
patience=720

# Two tests have parts that never end on older kernels, with or without the module: see
# tests/README.md. On such kernels, only the rest of these tests is run.
choose()
{
	local t v
	chosen=
	for t in $tests; do
		ok "upstream's $t is there" test -x ./$t
		v=$(verdict $t $seconds)
		if [ "$v" -eq 143 ] && [ -x $t-rest ]; then
			echo "# all of $t never ends here without the module, so the rest of it"
			t=$t-rest
			v=$(verdict $t $seconds)
		fi
		echo $v >/tmp/without.$t
		chosen="$chosen $t"
	done
}

# With the module, the test passes, or is skipped as it is without the module. On a native kernel, it
# ends as it does without the module.
selftest()
{
	local v without start
	start=$(date +%s)
	without=$(cat /tmp/without.$1)
	if [ "$without" -eq 0 ]; then
		v=$(verdict $1 $patience)
	else
		v=$(verdict $1 $seconds)
	fi
	# Where the test fails at once without the module (6.1), it can run without end only with the module.
	if [ "$v" -eq 143 ] && [ "$without" -ne 0 ] && [ -x $1-rest ]; then
		echo "# all of $1 never ends here, so the rest of it"
		echo $without >/tmp/without.$1-rest
		selftest $1-rest
		return
	fi
	echo "# $1: status $without without the module, $v with, $(($(date +%s) - start)) s"
	if [ "$v" -eq 4 ] && [ "$without" -eq 4 ] && [ $1 != guest_memfd_test ]; then
		echo "ok - $1 # SKIP $(tail -n 1 /tmp/test.out)"
		echo >>$results
		return
	fi
	# The module leaves a native kernel as it is, including the kernel's faults.
	if [ -e kvm-gmem-numa.ko ] && [ "$(state guest_memfd)" = native ]; then
		ok "$1: as without the module" test "$v" -eq "$without"
		return
	fi
	ok "$1 passes" test "$v" -eq 0
	[ "$v" -eq 0 ] || sed 's/^/# /' /tmp/test.out
}

echo "# $(uname -r)"
survey /tmp/before
choose
ok "two nodes with memory" test "$(cat /sys/devices/system/node/has_memory)" = 0-1
if [ -e kvm-gmem-numa.ko ]; then
	ok "loads" load
	if [ "$(state guest_memfd)" = active ]; then
		nok "without the module there was nothing to test" \
			grep -qx "its policy outlives the mapping" /tmp/before
	fi
fi
ok "capability 244 is 3, and the rest works" ./probe present
for t in $chosen; do
	selftest $t
done
if [ -e kvm-gmem-numa.ko ]; then
	[ "$(state guest_memfd)" != active ] || ok "no inode is left" no_inodes
	ok "unloads" unload
	survey /tmp/after
	ok "what worked before works, and nothing else" cmp /tmp/before /tmp/after
fi
