tap ./probe absent
ok "loads" load
dmesg | tail -5
tap ./probe present
ok "unloads" unload
tap ./probe absent
