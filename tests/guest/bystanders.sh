# SPDX-License-Identifier: GPL-2.0-only
# VMs that do not use the module are not affected while it is loaded, its redirects are attached and
# detached, and it is unloaded, again and again.

cycles=$(parameter bystander_cycles)
margin=$(parameter bystander_ms)

# begin FILE LIMIT; finish: the VMs run in between, and write their results to FILE.
begin()
{
	background $1 ./bystander $2
	bystanders=$!
}

finish()
{
	kill $bystanders
	wait $bystanders
}

idle()
{
	grep -c ' idle$' $module/features/redirects
}

# In every fourth cycle, the redirects are detached before the module is unloaded. In the others, the
# module is unloaded while they are attached.
cycle()
{
	local at_first
	load || return
	at_first=$(idle)
	# Binding a slot of another VM attaches the redirects of guest faults.
	if [ $(($1 % 2)) -eq 0 ]; then hold slot; else hold poison; fi
	[ "$(idle)" -lt "$at_first" ] || return
	sleep 0.2
	let_go
	if [ $(($1 % 4)) -eq 0 ]; then
		sleep 2
		[ "$(idle)" -eq "$at_first" ] || return
		detached=$((detached + 1))
	fi
	unload_soon
}

# How long a guest's run takes without the module. All guests share the time of one emulated processor.
begin /tmp/quiet 3600000
sleep 10
finish
ok "VMs run without the module" test $? -eq 0
echo "# without the module, for comparison:"
grep "longest run" /tmp/quiet
longest=$(sed -n 's/.*longest run \([0-9]*\)\..*/\1/p' /tmp/quiet | sort -n | tail -n 1)

begin /tmp/bystanders $((longest + margin))
n=0
detached=0
while [ $n -lt $cycles ] && cycle $n; do
	n=$((n + 1))
	[ $((n % 10)) -ne 0 ] || echo "# $n loads and unloads"
done
sleep 1
finish
status=$?
ok "the module was loaded and unloaded $cycles times" test $n -eq $cycles
ok "redirects were detached while it was loaded" test $detached -gt 0
echo "# while the module came and went:"
tap cat /tmp/bystanders
ok "VMs ended by themselves (status $status)" test $status -le 1
if loaded; then
	let_go
	unload_soon
fi
ok "nothing is left" clean
echo "# count bystander-loads $n"
