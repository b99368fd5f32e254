# SPDX-License-Identifier: GPL-2.0-only
# Everything at once, for as long as the kernel's command line says.

leaks_begin
ok "loads" load
seed=$(parameter storm_seed)
tap ./storm "$(parameter storm_seconds)" "${seed:-$(date +%s)}"
ok "no inode is left" no_inodes
ok "unloads" unload
ok "nothing is left" clean
[ ! -e $kmemleak ] || ok "kmemleak finds nothing" no_leaks
