#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Two hosts that boot, reached over loopback: a rollout of a good release, and one of a release with a fault that
# only the placement test shows.
. "$(dirname "$0")/../lib/fleetprove.sh"

trap fleet_stop EXIT
fleet_inventory
start=$SECONDS
fleet_start
echo "# both hosts are up after $((SECONDS - start)) s"

# state HOST: print everything that a rollout could have changed on the host.
state()
{
	fleet_ssh "$1" 'cat /proc/sys/kernel/random/boot_id; cat /sys/module/kvm_gmem_numa/srcversion;
		dpkg-query -W "kvm-gmem-numa*"; sha256sum /var/log/dpkg.log; cat /etc/udev/rules.d/80-kvm-gmem-numa.rules; ls /etc/modprobe.d'
}

# verdicts ROLLOUT "WAVE VERDICT"...: the wave and verdict of each host, in the order of the hosts.
verdicts()
{
	local out=$fleet/$1 host
	shift
	for host in "${fleet_hosts[@]}"; do
		sed -n '/^ROLLOUT/,$p' "$out" | grep -Eq "^$host +$1" || {
			tail -n 25 "$out"
			return 1
		}
		shift
	done
}

nothing_changed()
{
	! grep -E '^node.* changed=[1-9]' "$fleet/$1"
}

rollout()
{
	local name=$1 begin=$SECONDS
	shift
	fleet_rollout "$name" "$@" || true
	echo "# $name: $((SECONDS - begin)) s"
}

same()
{
	diff "$fleet/$1" "$fleet/$2"
}

same_but_log()
{
	diff <(grep -v dpkg.log "$fleet/$1") <(grep -v dpkg.log "$fleet/$2")
}

rollout good -e "kvm_gmem_numa_version=$version"
check "a good release: both hosts are active" verdicts good "1 +active" "2 +active"
check "a good release: a guest's pages are on the nodes that were asked for" \
	test "$(grep -c 'every page is on the node' "$fleet/good")" -ge 2
for host in "${fleet_hosts[@]}"; do
	check "$host: kvm-gmem-numa-check agrees" fleet_ssh "$host" kvm-gmem-numa-check
	state "$host" >"$fleet/$host.before"
done

rollout again -e "kvm_gmem_numa_version=$version"
check "the same again: nothing is changed" nothing_changed again

rollout faulty -e kvm_gmem_numa_version=99
check "a release with a fault: the canary is rolled back, the other host not touched" \
	verdicts faulty "1 +rolled back" "- +not touched"
check "a release with a fault: the placement test found it" grep -q 'pages are not where they were asked for' "$fleet/faulty"
for host in "${fleet_hosts[@]}"; do
	state "$host" >"$fleet/$host.after"
done
check "the canary is as it was, except for its dpkg.log" same_but_log node00.before node00.after
check "the other host is as it was, including its dpkg.log" same node01.before node01.after
check "the canary: kvm-gmem-numa-check agrees again" fleet_ssh node00 kvm-gmem-numa-check

rollout refused -e "kvm_gmem_numa_version=$version" -e kvm_gmem_numa_source=dkms
check "source packages on hosts without headers: refused" verdicts refused "1 +refused" "- +not touched"

for host in "${fleet_hosts[@]}"; do
	silent "$host: nothing bad in the kernel's log" grep -E 'WARNING:|BUG:|Oops|Kernel panic|stall|blocked for more' \
		"$fleet/console-$host.log"
done

{
	fleet_record good "ansible-playbook -i inventory -e kvm_gmem_numa_version=$version rollout.yml"
	printf '\nA release that was given a fault, on purpose:\n\n'
	fleet_record faulty "ansible-playbook -i inventory -e kvm_gmem_numa_version=99 rollout.yml"
} >"$fleet/record"
check "both outcomes are recorded in docs/fleet-run.md" fleet_document
plan
