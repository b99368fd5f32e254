# SPDX-License-Identifier: GPL-2.0-only
# The module is loaded and unloaded as often as the kernel's command line says, while calls of every kind
# that it redirects are in flight, and VMs run guests in ordinary memory.

leaks_begin
[ ! -e private_mem.ko ] || ok "VMs can have private memory" insmod ./private_mem.ko
survey /tmp/before
background /tmp/hammer ./hammer
pid=$!
tap ./cycle "$(parameter cycles)" ./kvm-gmem-numa.ko
kill $pid
wait $pid
status=$?
sed 's/^/# /' /tmp/hammer
ok "guests in ordinary and in private memory noticed nothing" test $status -eq 0
loaded && unload
ok "everything is as before" clean
[ ! -e private_mem.ko ] || ok "private memory can go again" rmmod private_mem
survey /tmp/after
ok "what worked before works, and nothing else" cmp /tmp/before /tmp/after
[ ! -e $kmemleak ] || ok "kmemleak finds nothing" no_leaks
