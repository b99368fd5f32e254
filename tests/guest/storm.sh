# SPDX-License-Identifier: GPL-2.0-only
# Run storm (everything at once), or the program that the kernel's command line names, for as long as that says.

leaks_begin
ok "loads" load
seed=$(parameter storm_seed)
program=$(parameter storm_program)
tap ./${program:-storm} "$(parameter storm_seconds)" "${seed:-$(date +%s)}"
ok "no inode is left" no_inodes
ok "unloads" unload
ok "nothing is left" clean
[ ! -e $kmemleak ] || ok "kmemleak finds nothing" no_leaks
