# SPDX-License-Identifier: GPL-2.0-only
# Load and unload: all redirects or none, refusals that say why, and a kernel
# that is left as it was.

functions=/sys/kernel/tracing/enabled_functions
sysctl=/proc/sys/kernel/ftrace_enabled

# refused TEXT PATTERN COMMAND...: the load fails, says why, and leaves nothing.
refused()
{
	local text=$1 pattern=$2
	shift 2
	dmesg_mark
	nok "$text: refused" "$@"
	ok "$text: one line says why" dmesg_says "$pattern"
	ok "$text: and only one" said_once
	nok "$text: not in /sys/module" loaded
	ok "$text: no function is redirected" clean
}

# busybox tries finit_module(2), then init_module(2), so it can come twice.
said_once()
{
	[ "$(dmesg_new | grep 'not loaded' | sed 's/^[^]]*\] //' | sort -u | wc -l)" -eq 1 ] || {
		dmesg_new
		return 1
	}
}

clean()
{
	[ ! -s $functions ] && [ ! -s /sys/kernel/debug/kprobes/list ] &&
		[ ! -d /sys/kernel/slab/kvm_gmem_numa_inode ] || {
		cat $functions /sys/kernel/debug/kprobes/list
		ls -d /sys/kernel/slab/kvm_gmem*
		return 1
	}
}

redirects()
{
	[ "$(wc -l <$functions)" -eq 11 ] || {
		cat $functions
		return 1
	}
}

# --- what the kernel lacks, or does not allow
ok "at first, no function is redirected" clean
refused "a function of kvm is missing" "no function kvm_gmem_creatX" insmod ./no-hook.ko
refused "a function of mm is missing" "no function mpol_set_shared_policX" insmod ./no-symbol.ko
refused "a redirect does not fire" "attached but does not fire" insmod ./silent.ko

ok "a live patch takes kvm_arch_vm_ioctl" insmod ./rival.ko function=kvm_arch_vm_ioctl
dmesg_mark
nok "with a live patch on kvm_arch_vm_ioctl: refused" load
ok "with a live patch: the line names the function" dmesg_says "kvm_arch_vm_ioctl is held by a live patch"
rmmod rival

echo 0 >$sysctl
refused "with kernel.ftrace_enabled=0" "set kernel.ftrace_enabled=1" load
echo 1 >$sysctl

ok "originals survive the calls that prove redirects" insmod ./canaries.ko
rmmod kvm_gmem_numa

# --- loaded
dmesg_mark
ok "loads" load
ok "says what is active" dmesg_says "guest_memfd active; TSC gate of VMs active, of vCPUs unavailable"
ok "eleven functions are redirected" redirects
ok "features/guest_memfd" grep -qx active $module/features/guest_memfd
ok "features/tsc_vm_gate" grep -qx active $module/features/tsc_vm_gate
ok "features/tsc_vcpu_gate" grep -q "^unavailable: " $module/features/tsc_vcpu_gate
ok "all features can be read" sh -c "grep . /sys/module/kvm_gmem_numa/features/*"
ok "version" test -s $module/version
nok "ftrace cannot be switched off" sh -c "echo 0 >$sysctl"
nok "a live patch cannot take the function" insmod ./rival.ko function=kvm_arch_vm_ioctl
nok "loads once only" load
tap ./probe present

# --- parameters
tap ./caps "advertise=Y" 1 3 1 1 3 1
echo N >$module/parameters/advertise
tap ./caps "advertise=N" 1 0 1 0 0 1
echo Y >$module/parameters/advertise
echo N >$module/parameters/tsc_gate
ok "tsc_gate=N: features says so" grep -q "^off" $module/features/tsc_vm_gate
echo Y >$module/parameters/tsc_gate

# --- unload is refused while something needs the module
for what in file mapping slot; do
	./hold $what >/tmp/hold &
	pid=$!
	until grep -q ready /tmp/hold; do sleep 0.1; done
	nok "unload is refused while a $what exists" unload
	kill $pid
	wait $pid 2>/dev/null
	ok "and allowed when it is gone: $what" unload
	ok "everything is as before: $what" clean
	load
done

# --- a bad moment
unload
tap ./caps "not loaded" 1 0 1 0 0 1
ok "loads with parameters" load advertise=N tsc_gate=N
tap ./caps "loaded with advertise=N" 1 0 1 0 0 1
ok "tsc_gate=N" grep -qx N $module/parameters/tsc_gate
unload

./hammer >/tmp/hammer 2>&1 &
pid=$!
until grep -q ready /tmp/hammer; do sleep 0.1; done
cycles=0
refusals=0
while [ $cycles -lt 5 ]; do
	load || break
	sleep 0.1
	until unload 2>/dev/null; do
		refusals=$((refusals + 1))
		[ $refusals -gt 2000 ] && break 2
	done
	cycles=$((cycles + 1))
done
kill $pid
wait $pid
status=$?
sed 's/^/# /' /tmp/hammer
echo "# $refusals times it was in use"
ok "$cycles loads and unloads with calls in flight" test $cycles -eq 5
ok "guests in ordinary memory noticed nothing" test $status -eq 0
ok "everything is as before" clean
tap ./probe absent
