# SPDX-License-Identifier: GPL-2.0-only
# What VMs cost each other, counted in instructions.

ok "loads" load
tap ./neighbours
ok "no inode is left" no_inodes
ok "unloads" unload
