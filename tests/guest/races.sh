# SPDX-License-Identifier: GPL-2.0-only
# Races, for as long as the kernel's command line says. With maxcpus=1, the other CPUs come online only when no more
# text will be patched: when the redirects that only slots need are attached, and there is a vCPU.
# They go offline before any of these goes.

other_cpus()
{
	local cpu
	for cpu in /sys/devices/system/cpu/cpu[1-9]*/online; do
		echo $1 >$cpu || return
	done
}

cpus_online()
{
	[ "$(nproc)" -eq "$1" ] || { nproc; return 1; }
}

seconds=$(parameter race_seconds)
seed=$(parameter race_seed)
leaks_begin
[ ! -e private_mem.ko ] || ok "VMs can have private memory" insmod ./private_mem.ko
sw_protected
ok "loads" load
hold all
ok "a slot, a vCPU and a poisoned page are held" grep ready /tmp/hold
all=$(ls -d /sys/devices/system/cpu/cpu[0-9]* | wc -l)
[ "$(nproc)" -eq $all ] || ok "the other CPUs come" other_cpus 1
ok "$all CPUs" cpus_online $all

echo "# seed $seed"
! grep -q 'maxcpus=1\b' /proc/cmdline || export RACE_NO_PATCHING=1
for program in $(parameter race_programs | tr , ' '); do
	held=$(cat $functions)
	tap ./$program $seconds $seed
	# Unless it sets the parameter private_policy.
	[ $program,$RACE_NO_PATCHING = race_private, ] ||
		ok "no redirect came or went meanwhile" test "$held" = "$(cat $functions)"
done

! grep -q 'maxcpus=1\b' /proc/cmdline || ok "the other CPUs go" other_cpus 0
let_go
ok "no inode is left" no_inodes
ok "unloads" unload
ok "nothing is left" clean
[ ! -e private_mem.ko ] || ok "private memory can go again" rmmod private_mem
[ ! -d /sys/module/sw_protected ] || ok "so can software-protected VMs" rmmod sw_protected
[ ! -e $kmemleak ] || ok "kmemleak finds nothing" no_leaks
