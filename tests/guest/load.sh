# SPDX-License-Identifier: GPL-2.0-only
# Load and unload: all redirects or none, refusals that say why, and a kernel
# that is left as it was.

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

# busybox tries finit_module(2), then init_module(2), so the same line can come twice.
said_once()
{
	[ "$(dmesg_new | grep 'not loaded' | sed 's/^[^]]*\] //' | sort -u | wc -l)" -eq 1 ] || {
		dmesg_new
		return 1
	}
}

# slot_is_bound: a slot can be bound.
slot_is_bound()
{
	timeout 60 ./hold slot | grep -q ready
}

# others_are_free: no function is redirected that a VM without guest_memfd calls all the time.
others_are_free()
{
	! grep -E '^(kvm_mmu_page_fault|__kvm_faultin_pfn|(__)?gfn_to_p|kvm_prefetch_pages|kvm_arch_(free|prepare|vcpu_pre))' $functions
}

# idle_are_idle: only the redirects that are always attached are attached.
idle_are_idle()
{
	[ "$(sed -n 's/ idle$//p' $module/features/redirects)" = "$idle" ]
}

# seen FUNCTION...: a BPF program on at least one of the functions has run.
seen()
{
	for f in "$@"; do
		grep "^$f ran [1-9]" /tmp/hold && return
	done
	cat /tmp/hold
	return 1
}

# rival_shares N: rival.ko was asked whether it can share the function, and for all but N of these requests, it
# was later told that it has the function to itself again.
rival_shares()
{
	local rival=/sys/module/rival/parameters
	echo "asked $(cat $rival/asked), told $(cat $rival/released)"
	[ "$(cat $rival/asked)" -gt 0 ] && [ "$(($(cat $rival/asked) - $(cat $rival/released)))" -eq "$1" ]
}

# with_sw_protected COMMAND...: the helper has kprobes, which ftrace would list among the module's redirects later.
with_sw_protected()
{
	sw_protected
	"$@"
	set -- $?
	rmmod sw_protected 2>/dev/null
	return $1
}

hold_private()
{
	with_sw_protected hold private
}

# hold_for FUNCTION: hold what its redirect is attached for.
hold_for()
{
	case $1 in
	kvm_gmem_*) hold_private ;;
	*max_mapping_level) hold_huge slot ;;
	*) hold slot ;;
	esac
}

# until_called COMMAND...: run the command until the function with the trampoline has been called.
until_called()
{
	local pid
	"$@" >/dev/null 2>&1 &
	pid=$!
	soon grep -qv none /sys/module/rival/parameters/landing
	kill $pid
	wait $pid 2>/dev/null
}

# others_call FUNCTION: make calls of the function that are not the module's.
others_call()
{
	case $1 in
	kvm_gmem_create)
		with_sw_protected ./private_vm >/dev/null
		;;
	kvm_gmem_*)
		echo N >$module/parameters/private_policy
		with_sw_protected background /tmp/others ./hold private
		kill $!
		wait $!
		echo Y >$module/parameters/private_policy
		;;
	*)
		until_called ./bystander 3600000
		;;
	esac
}

# lands_on_endbr: the last call of the function with the trampoline went to an ENDBR. Kernels that are not built to
# enforce IBT have none.
lands_on_endbr()
{
	local rival=/sys/module/rival/parameters
	cat $rival/landing
	[ "$(cat $rival/ibt)" = N ] || grep -q ^endbr $rival/landing
}

# soon COMMAND...: the command succeeds in a moment, which on a slow machine may be a minute.
soon()
{
	for _ in $(seq 600); do
		"$@" && return
		sleep 0.1
	done
	return 1
}

# --- refusals to load, where the kernel lacks something or does not allow it
leaks_begin
survey /tmp/before
native=$(./caps)
echo "# capabilities before: $native"
ok "at first, no function is redirected" clean
refused "a function of kvm is missing" "no function kvm_vm_ioctX" insmod ./no-hook.ko
refused "a function of mm is missing" "no function mpol_set_shared_policX" insmod ./no-symbol.ko
refused "nothing calls a function" "nothing in kvm calls kvm_vm_release" insmod ./uncalled.ko
refused "a redirect does not fire" "attached but does not fire" insmod ./silent.ko

ok "a live patch takes kvm_vm_ioctl" insmod ./rival.ko function=kvm_vm_ioctl
dmesg_mark
nok "with a live patch on kvm_vm_ioctl: refused" load
ok "with a live patch: the line names the function" dmesg_says "kvm_vm_ioctl is held by a live patch"
rmmod rival

echo 0 >$sysctl
refused "with kernel.ftrace_enabled=0" "set kernel.ftrace_enabled=1" load
echo 1 >$sysctl

# --- with force: the features that the kernel allows
dmesg_mark
ok "force: loads without what the kernel lacks" insmod ./no-hook.ko force=Y
ok "force: says what is left out" dmesg_says "left out: kvm has no function kvm_vm_ioctX"
ok "force: is loud about it" dmesg_says "loaded with force=Y, which is for testing"
ok "force: features/guest_memfd says why" grep -q "^unavailable: loaded with force" $module/features/guest_memfd
tap ./probe tsc
rmmod kvm_gmem_numa
ok "force: nothing is left" clean
dmesg_mark
ok "built with GMEM_FORCE: loads" insmod ./forced.ko
ok "built with GMEM_FORCE: features/guest_memfd says why" grep -q "^unavailable: built with GMEM_FORCE" $module/features/guest_memfd
tap ./probe tsc
rmmod kvm_gmem_numa
ok "built with GMEM_FORCE: nothing is left" clean

ok "originals survive the calls that prove redirects" insmod ./canaries.ko
rmmod kvm_gmem_numa

# --- loaded
dmesg_mark
ok "loads" load
ok "says what is active" dmesg_says "guest_memfd active; huge mappings off.*; private memory by policy \(active\|unavailable\).*; TSC gate of VMs \(active\|native\), of vCPUs \(active\|native\|unavailable\)"
ok "features are as this kernel allows" states_expected
states_true /tmp/before
ok "what is redirected is what it says" as_reported
ok "features/guest_memfd" grep -qx active $module/features/guest_memfd
if [ -e /sys/kernel/btf/kvm ]; then
	# No header declares these functions; see src/hooks/.
	ok "kvm_vm_ioctl() has the prototype of its replacement" \
		sh -c './prototype kvm_vm_ioctl | grep -qx "8 (p, 4, 8)"'
	[ "$(state private_policy)" != active ] || ok "kvm_gmem_create() has the prototype of its replacement" \
		sh -c './prototype kvm_gmem_create | grep -qx "4 (p, p)"'
	f=$(sed -n 's/ .*//;/max_mapping_level$/p' $module/features/redirects)
	[ -z "$f" ] || ok "$f() has the prototype of its replacement" \
		sh -c "./prototype $f | grep -qx '4 (p, p, 8, 4, 1)\|4 (p, p, 8, 4)\|4 (p, p, p, 8)'"
	ok "kvm_vm_ioctl_check_extension_generic() has the prototype of its replacement" \
		sh -c './prototype kvm_vm_ioctl_check_extension_generic | grep -qx "[48] (p, 8)"'
fi
ok "all features can be read" sh -c "grep . /sys/module/kvm_gmem_numa/features/*"
ok "version" test -s $module/version
nok "ftrace cannot be switched off" sh -c "echo 0 >$sysctl"
nok "a live patch cannot take the function" insmod ./rival.ko function=kvm_vm_ioctl
nok "loads once only" load
tap ./probe present

# --- redirects that only bound slots need
# The probe above had bound a slot.
ok "guest faults and memslots of other VMs do not reach the module" soon others_are_free
# The kernel's text is restored first. A task that was already on its way to a redirect may still be in it.
ok "features/redirects says so, a grace period later" soon as_reported
idle=$(sed -n 's/ idle$//p' $module/features/redirects)
echo "# idle: $(echo $idle)"
hold slot
nok "with a bound slot, the redirects for slots are attached" idle_are_idle
ok "with a bound slot, what is redirected is what it says" as_reported
let_go
ok "a second after the last slot is gone, they are detached" soon idle_are_idle
ok "without a bound slot, what is redirected is what it says" as_reported
unload
insmod ./kvm-gmem-numa.ko
hold slot
let_go
sleep 5
nok "with the default detach_delay, they are still attached" idle_are_idle
echo 1 >$module/parameters/detach_delay
hold slot
let_go
ok "detach_delay can be changed" soon idle_are_idle
tried=
for f in $idle; do
	insmod ./rival.ko function=$f || continue
	tried=$f
	dmesg_mark
	nok "with a live patch on $f: no slot is bound" slot_is_bound
	ok "with a live patch on $f: the line names it" dmesg_says "memslot refused: $f is held by a live patch"
	ok "with a live patch on $f: nothing else is attached" soon idle_are_idle
	# The rate limit is ten lines in five seconds, for all callers together.
	start=$(date +%s)
	for _ in $(seq 100); do timeout 60 ./hold slot >/dev/null 2>&1; done
	ok "with a live patch on $f: the line is rate-limited" test "$(dmesg_new | grep -c 'memslot refused')" \
		-le $((10 * (($(date +%s) - start) / 5 + 2)))
	rmmod rival
	break
done
ok "a live patch could be put on one of them" test -n "$tried"
hold slot
ok "without a live patch, a slot is bound" as_reported
let_go

# The same for private memory. A VM is created in any case, and KVM places its pages.
if [ "$(state private_policy)" = active ]; then
	soon idle_are_idle
	hold_private
	nok "with a private guest_memfd, the redirects for private pages are attached" idle_are_idle
	ok "with a private guest_memfd, what is redirected is what it says" as_reported
	ok "with a private guest_memfd, guest faults and memslots of other VMs do not reach the module" others_are_free
	ok "with a private guest_memfd, an unload is allowed" unload
	ok "with a private guest_memfd, nothing is left after the unload" clean
	load
	ok "a guest_memfd from before the load attaches nothing" idle_are_idle
	let_go
	hold_private
	let_go
	ok "a second after the last private guest_memfd is gone, they are detached" soon idle_are_idle
	insmod ./rival.ko function=kvm_gmem_get_pfn
	dmesg_mark
	hold_private
	ok "with a live patch on kvm_gmem_get_pfn: the line names it" dmesg_says \
		"private memory is not placed by policy: kvm_gmem_get_pfn is held by a live patch"
	ok "with a live patch on kvm_gmem_get_pfn: nothing is attached" idle_are_idle
	let_go
	rmmod rival
fi

# The trampoline of a BPF program that traces the return of a function bypasses the redirect, unless ftrace has asked
# the trampoline to share the function.
f=kvm_arch_free_memslot
soon idle_are_idle
# Most of the hundred refusals above were not logged. A refusal within five seconds after them would not be, either.
sleep 5
ok "a trampoline is put on $f" insmod ./rival.ko function=$f direct=Y
dmesg_mark
nok "with a trampoline that does not share $f: no slot is bound" slot_is_bound
ok "with a trampoline that does not share $f: the line names it" dmesg_says "memslot refused: $f is held by"
rmmod rival
ok "a trampoline that shares, if it is asked, is put on $f" insmod ./rival.ko function=$f direct=Y agrees=Y
hold slot
ok "with a trampoline that shares $f: it is asked" test "$(cat /sys/module/rival/parameters/asked)" -gt 0
let_go
ok "with a trampoline that shares $f: the slot is unbound" soon idle_are_idle
rmmod rival

# Real BPF programs, on all redirected functions. They see the calls, whether they or the module came first. On
# kvm_vm_ioctl of 6.12, BPF programs never run, with or without the module: BPF asks ftrace where that function begins,
# and gets the remains of a weak function behind it.
if [ -e /sys/kernel/btf/kvm ]; then
	all=$(sed 's/ .*//' $module/features/redirects)
	always=$(sed -n 's/ attached$//p' $module/features/redirects)
	held ./fexit $all
	tap ./probe present
	let_go
	ok "BPF programs that came later saw ioctls" seen $always
	ok "BPF programs that came later saw guests" seen $idle
	unload
	held ./fexit $all
	ok "loads with BPF programs on its functions" load
	tap ./probe present
	ok "unloads with BPF programs on its functions" unload
	tap ./probe absent
	let_go
	ok "BPF programs that came first saw ioctls" seen $always
	ok "BPF programs that came first saw guests" seen $idle
	load
else
	echo "# no BPF program: kvm.ko has no type information here"
fi

# For a call that is not the module's, a trampoline that shares the function calls the original through a register.
# Once no redirect of the module is attached, the trampoline must be told that it has the function to itself.
for f in $(sed 's/ .*//' $module/features/redirects); do
	unload_soon
	ok "a trampoline is put on $f" insmod ./rival.ko function=$f direct=Y agrees=Y
	ok "loads beside it" load
	case " $(echo $idle) " in
	*" $f "*)
		ok "loaded, $f idle: the trampoline is told that it has the function to itself" rival_shares 0
		hold_for $f
		ok "$f attached: the trampoline is asked again" rival_shares 1
		others_call $f
		# Nothing here calls this one.
		[ $f = kvm_gmem_populate ] || ok "$f: a call that is not ours lands on an ENDBR" lands_on_endbr
		let_go
		ok "$f idle again: the trampoline is told" soon rival_shares 0
		;;
	*)
		others_call $f
		ok "$f: a call that is not ours lands on an ENDBR" lands_on_endbr
		ok "unloads beside it" unload_soon
		ok "unloaded, $f: the trampoline is told" rival_shares 0
		load
		;;
	esac
	rmmod rival
done

# --- parameters
tap ./caps "advertise=Y" 1 3 1 1 3 1
echo N >$module/parameters/advertise
tap ./caps "advertise=N" $native
echo Y >$module/parameters/advertise
echo N >$module/parameters/tsc_gate
case $(state tsc_vm_gate) in
native) echo "# the gate is the kernel's own, tsc_gate=N leaves it alone" ;;
*) ok "tsc_gate=N: features says so" grep -q "^off" $module/features/tsc_vm_gate ;;
esac
echo Y >$module/parameters/tsc_gate

# A live patch can take a function whose feature a parameter has switched off. The feature then cannot be
# switched on while the live patch is there.
for p in advertise:kvm_vm_ioctl_check_extension_generic tsc_gate:kvm_arch_vm_ioctl private_policy:kvm_gmem_create; do
	f=${p#*:}
	p=${p%:*}
	grep -q "^$f " $module/features/redirects || continue
	nok "$p=Y: a live patch cannot take $f" insmod ./rival.ko function=$f
	ok "$p=N: $f is detached" sh -c "echo N >$module/parameters/$p && grep -qx '$f idle' $module/features/redirects"
	ok "$p=N: what is redirected is what it says" soon as_reported
	ok "$p=N: a live patch can take $f" insmod ./rival.ko function=$f
	dmesg_mark
	nok "with the live patch: $p cannot be set" sh -c "echo Y >$module/parameters/$p"
	ok "with the live patch: one line says why" dmesg_says "parameter not set: $f is held by a live patch"
	ok "with the live patch: $p is still N" grep -qx N $module/parameters/$p
	unload
	ok "with the live patch: loads with $p=N" load $p=N
	rmmod rival
	ok "without the live patch: $p can be set" \
		sh -c "echo Y >$module/parameters/$p && grep -qx '$f attached' $module/features/redirects"
done
tap ./probe present

# --- with IBT, the module neither attaches nor detaches anything while a trampoline is on the function
f=$(set -- $idle; echo $1)
unload
insmod ./rival.ko function=$f direct=Y agrees=Y
refused "with IBT, beside a trampoline on $f" "not loaded: $f is traced by BPF" insmod ./ibt.ko detach_delay=1
rmmod rival
ok "with IBT: loads" insmod ./ibt.ko detach_delay=1
insmod ./rival.ko function=$f direct=Y agrees=Y
dmesg_mark
nok "with IBT, beside a trampoline on $f: no slot is bound" slot_is_bound
ok "with IBT: one line says why" dmesg_says "memslot refused: $f is traced by BPF"
rmmod rival
hold slot
ok "with IBT, a trampoline is put on $f while a slot is bound" insmod ./rival.ko function=$f direct=Y agrees=Y
let_go
sleep 3
nok "with IBT: the function that the trampoline shares is not detached" others_are_free
rmmod rival
ok "with IBT: once the trampoline has gone, it is detached" soon others_are_free
always=kvm_vm_ioctl_check_extension_generic
insmod ./rival.ko function=$always direct=Y agrees=Y
dmesg_mark
nok "with IBT, beside a trampoline on $always: it is not detached" sh -c "echo N >$module/parameters/advertise"
ok "with IBT: one line says why" dmesg_says "parameter not set: $always is traced by BPF"
dmesg_mark
rmmod kvm_gmem_numa &
ok "with IBT: an unload waits, and says so" soon dmesg_says "unload waits: $always is traced by BPF"
ok "with IBT: the unload still waits" loaded
rmmod rival
wait $!
nok "with IBT: once the trampoline has gone, the unload goes on" loaded
ok "with IBT: nothing is left" clean
load

# --- unload is refused while something needs the module
held=
[ "$(state tsc_vm_gate)" != active ] || held=tsc
for what in file mapping slot ioctl $held; do
	hold $what
	nok "unload is refused while a $what exists" unload
	let_go
	ok "unload is allowed when the $what is gone" unload
	ok "everything is as before: $what" clean
	load
done

# --- loaded with parameters
unload
tap ./caps "not loaded" $native
ok "loads with parameters" load advertise=N tsc_gate=N private_policy=N
tap ./caps "loaded with advertise=N" $native
ok "tsc_gate=N" grep -qx N $module/parameters/tsc_gate
[ "$(state private_policy)" = unavailable ] ||
	ok "private_policy=N: features says so" grep -q "^off" $module/features/private_policy
unload

ok "everything is as before" clean
survey /tmp/after
ok "what worked before works, and nothing else" cmp /tmp/before /tmp/after
[ ! -e $kmemleak ] || ok "kmemleak finds nothing" no_leaks
