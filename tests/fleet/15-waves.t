#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The playbook on simulated hosts: waves, what stops them, and what is left behind.
. "$(dirname "$0")/../lib/fleetprove.sh"

hosts=(h1 h2 h3 h4 h5)
sim_start "${hosts[@]}"
sim_package 0.1.0 >/dev/null
sim_package 0.1.1 placement=wrong >/dev/null
sim_package 0.1.2 >/dev/null
sim_package 0.1.3 "log=kvm_gmem_numa: memslot refused" >/dev/null
waves='{"rollout_waves": [1, 2, "100%"]}'

# rollout VERSION [ARGUMENT...]
rollout()
{
	local version=$1
	shift
	sim_rollout -e "$waves" -e "kvm_gmem_numa_version=$version" "$@" || true
}

# state: print the loaded and the installed version of each host.
state()
{
	local host
	for host in "${hosts[@]}"; do
		echo "$host $(sim_version "$host")"
	done
}

# verdicts "WAVE VERDICT"...: the wave and verdict of each host, in the order of the hosts.
verdicts()
{
	local host
	for host in "${hosts[@]}"; do
		sim_verdict "$host" | grep -q "^$1 *\$" || {
			sed -n '/^ROLLOUT/,$p' "$SIM/out"
			return 1
		}
		shift
	done
}

says()
{
	grep -q -e "$1" "$SIM/out" || {
		tail -n 20 "$SIM/out"
		return 1
	}
}

# are "LOADED INSTALLED"...: the versions on each host, in the order of the hosts.
are()
{
	diff <(state) <(paste -d ' ' <(printf '%s\n' "${hosts[@]}") <(printf '%s\n' "$@"))
}

# untouched REGEX: the last rollout ran commands on some hosts, but none on these.
untouched()
{
	test -s "$SIM/asked" && ! grep -E "^($1): " "$SIM/asked"
}

unchanged()
{
	local host
	for host in "${hosts[@]}"; do
		[ "$(sim_changed "$host")" = "${1:-0}" ] || return
	done
}

has_dkms()
{
	"$top/tests/fleet/sim/ssh" "$1" "dpkg-query -W -f '\${db:Status-Status}' kvm-gmem-numa-dkms" | grep -qx installed
}

# loaded_by HOST softdep|rule
loaded_by()
{
	local host=$SIM/$1/upper/etc softdep=no rule=no
	[ ! -e "$host/modprobe.d/kvm-gmem-numa-load.conf" ] || softdep=softdep
	[ ! -e "$host/udev/rules.d/80-kvm-gmem-numa.rules" ] || rule=rule
	echo "$softdep $rule"
	[ "$2" = softdep ] && [ "$softdep $rule" = "softdep no" ] || [ "$2 $softdep $rule" = "rule no rule" ]
}

# parameter_is NAME VALUE...: the parameter of the loaded module on each host, in the order of the hosts.
parameter_is()
{
	local host name=$1
	shift
	for host in "${hosts[@]}"; do
		[ "$(cat "$SIM/$host/upper/sys/module/kvm_gmem_numa/parameters/$name")" = "$1" ] || return
		shift
	done
}

none="none none"

rollout 0.1.0 --check
check "with --check: nothing is installed" are "$none" "$none" "$none" "$none" "$none"
check "with --check: no host fails" verdicts "1 would do" "2 would do" "2 would do" "3 would do" "3 would do"

mkdir -p "$SIM/h1/upper/var/log"
echo "[    0.500000] kvm_gmem_numa: not loaded" >"$SIM/h1/upper/var/log/sim-dmesg"
sim_dkms h1 >/dev/null
sim_dkms h2 >/dev/null
for host in h1 h2; do
	softdep=$SIM/$host/upper/etc/modprobe.d/kvm-gmem-numa-load.conf
	mkdir -p "${softdep%/*}"
	echo "softdep kvm_amd post: kvm_gmem_numa" >"$softdep"
done
rollout 0.1.1
check "the canary had the softdep of an earlier version of the role, and has it again" loaded_by h1 softdep
check "the canary had the package of sources, and gets it back" \
	eval 'verdicts "1 rolled back" "- not touched" "- not touched" "- not touched" "- not touched" && has_dkms h1'
rollout 0.1.0
check "first rollout: the package of sources is removed" eval '! has_dkms h1 && ! has_dkms h2'
check "first rollout: the softdep of an earlier version of the role is removed" \
	eval 'loaded_by h1 rule && loaded_by h2 rule && loaded_by h3 rule'
check "first rollout: each host in its wave, despite older complaints in the log" \
	verdicts "1 active .*" "2 active .*" "2 active .*" "3 active .*" "3 active .*"
check "first rollout: installed and loaded" are "0.1.0 0.1.0" "0.1.0 0.1.0" "0.1.0 0.1.0" "0.1.0 0.1.0" "0.1.0 0.1.0"
rollout 0.1.0
check "the same again: nothing is changed" unchanged

rollout 0.1.1
check "the canary fails the placement test: it is rolled back, the others are not touched" \
	verdicts "1 rolled back" "- not touched" "- not touched" "- not touched" "- not touched"
check "the canary fails: the summary says why" says "1023 of 1024 pages"
check "the canary fails: all have the version from before" \
	are "0.1.0 0.1.0" "0.1.0 0.1.0" "0.1.0 0.1.0" "0.1.0 0.1.0" "0.1.0 0.1.0"
check "the canary fails: no command ran on the other hosts" untouched 'h2|h3|h4|h5'

mkdir -p "$SIM/h3/upper/etc"
echo wrong >"$SIM/h3/upper/etc/sim-placement"
rollout 0.1.2
check "the second wave fails: one host is rolled back, the other was verified and stays" \
	verdicts "1 active .*" "2 active .*" "2 rolled back" "- not touched" "- not touched"
check "the second wave fails: versions are as the table says" \
	are "0.1.2 0.1.2" "0.1.2 0.1.2" "0.1.0 0.1.0" "0.1.0 0.1.0" "0.1.0 0.1.0"
check "the second wave fails: no command ran on the third wave" untouched 'h4|h5'
rm "$SIM/h3/upper/etc/sim-placement"

mkdir -p "$SIM/h2/upper/sys/kernel/livepatch/fix/kvm/kvm_vm_ioctl,1"
rollout 0.1.2
check "a live patch on a host of the second wave: refused, nothing is changed in that wave" \
	verdicts "1 active .*" "2 refused .*" "2 stopped .*" "- not touched" "- not touched"
check "a live patch: the message names it" says "kvm_vm_ioctl of KVM cannot be redirected, held by live patch fix"
check "a live patch: the message says what to do" says "boot a kernel that needs no live patch of that"
check "a live patch: versions are as before" \
	are "0.1.2 0.1.2" "0.1.2 0.1.2" "0.1.0 0.1.0" "0.1.0 0.1.0" "0.1.0 0.1.0"
rm -r "$SIM/h2/upper/sys/kernel"

mkdir -p "$SIM/h1/upper/sys/kernel/livepatch/fix/vmlinux/kvm_arch_vm_ioctl,1"
rollout 0.1.2
check "a live patch of a KVM that is built in: refused" \
	verdicts "1 refused .*" "- not touched" "- not touched" "- not touched" "- not touched"
check "a live patch of a KVM that is built in: the message names it" \
	says "kvm_arch_vm_ioctl of KVM cannot be redirected, held by live patch fix"
rm -r "$SIM/h1/upper/sys/kernel"

mkdir -p "$SIM/h1/upper/sys/kernel/livepatch/net-fix/vmlinux/tcp_v4_rcv,1" "$SIM/h1/upper/etc/systemd/system"
: >"$SIM/h1/upper/etc/systemd/system/kpatch.service"
rollout 0.1.2
check "a live patch of something else, and a service that loads others: no host is refused" \
	verdicts "1 active .*" "2 active .*" "2 active .*" "3 active .*" "3 active .*"
check "a live patch of something else: only that host gets the note about live patches" \
	eval 'says "This host has live patches (net-fix, kpatch.service).*kvm_arch_vm_ioctl" && \
		[ "$(grep -c "This host has live patches" "$SIM/out")" -eq 1 ]'
rm -r "$SIM/h1/upper/sys/kernel" "$SIM/h1/upper/etc/systemd/system/kpatch.service"

tracing=$SIM/h1/upper/sys/kernel/tracing
mkdir -p "$tracing"
echo "kvm_vm_ioctl [kvm] (1) R I     tramp: 0xffffffffc0e3d000" >"$tracing/enabled_functions"
rollout 0.1.2
check "a function of kvm.ko that ftrace has redirected: refused" \
	verdicts "1 refused .*" "- not touched" "- not touched" "- not touched" "- not touched"
check "a function of kvm.ko: the message names it" says "kvm_vm_ioctl of KVM cannot be redirected, held by ftrace"
rm -r "$SIM/h1/upper/sys/kernel"

# File, contents of the file, and how the message names it.
while IFS='|' read -r file line name; do
	optout=$SIM/h1/upper/etc/$file
	mkdir -p "${optout%/*}"
	echo "$line" >"$optout"
	rollout 0.1.2
	check "an operator keeps the module away, by $file: refused" \
		verdicts "1 refused .*" "- not touched" "- not touched" "- not touched" "- not touched"
	check "an operator keeps the module away, by $file: the message names it" \
		says "$name.* keeps the module from being loaded"
	check "an operator keeps the module away, by $file: the file is still there" test -e "$optout"
	rm "$optout"
done <<'END'
modprobe.d/kvm-gmem-numa.conf||/etc/modprobe.d/kvm-gmem-numa.conf
udev/rules.d/80-kvm-gmem-numa.rules||/etc/udev/rules.d/80-kvm-gmem-numa.rules
modprobe.d/operator.conf|blacklist kvm_gmem_numa|blacklist kvm_gmem_numa
modprobe.d/operator.conf|install kvm_gmem_numa /bin/false|install kvm_gmem_numa /bin/false
END

rollout 0.1.3
check "the kernel's log has a complaint of the canary's module: the canary is rolled back" \
	verdicts "1 rolled back" "- not touched" "- not touched" "- not touched" "- not touched"
check "the kernel's log has a complaint: the summary quotes it" says "memslot refused"

touch "$SIM/h2/unreachable"
rollout 0.1.2
check "a host of the second wave cannot be reached: the other host of the wave is left alone" \
	verdicts "1 active .*" "2 UNREACHABLE .*" "2 stopped .*" "- not touched" "- not touched"
rm "$SIM/h2/unreachable"

rollout 0.1.2 -e '{"kvm_gmem_numa_parameters": {"advertise": "n", "detach_delay": 3600}}'
check "a parameter: a loaded module gets it" parameter_is advertise N N N N N
check "a parameter that is a number: a loaded module gets it" parameter_is detach_delay 3600 3600 3600 3600 3600
rollout 0.1.2
check "no parameter: a loaded module has its default" parameter_is advertise Y Y Y Y Y
check "no parameter: a number's default" parameter_is detach_delay 60 60 60 60 60

echo 2 >"$SIM/h1/upper/sys/module/kvm_gmem_numa/refcnt"
rollout 0.1.0
check "VMs use the module of the canary: refused" verdicts "1 refused .*" "- not touched" "- not touched" "- not touched" "- not touched"
check "VMs use the module: the message says what to do" says "move them, or set kvm_gmem_numa_activate"
echo 0 >"$SIM/h1/upper/sys/module/kvm_gmem_numa/refcnt"

rm "$SIM/h1/upper/var/cache/kvm-gmem-numa/"*_0.1.2_*
rollout 0.1.0
check "the version of the canary could not be restored: refused" \
	verdicts "1 refused .*" "- not touched" "- not touched" "- not touched" "- not touched"

rollout 0.1.2 -e kvm_gmem_numa_source=dkms -e kvm_gmem_numa_packages_dir=
check "no headers to build with: refused" says "no headers for $sim_release: install linux-headers-$sim_release"

mask=$SIM/h1/upper/etc/udev/rules.d/80-kvm-gmem-numa.rules
: >"$mask"
sim_rollout -e kvm_gmem_numa_state=absent || true
check "removed: from all hosts" are "$none" "$none" "$none" "$none" "$none"
check "removed: the udev rule that the role wrote" test ! -e "$SIM/h2/upper/etc/udev/rules.d/80-kvm-gmem-numa.rules"
check "removed: an operator's file in its place is still there" test -e "$mask"
plan
