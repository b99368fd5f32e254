# SPDX-License-Identifier: GPL-2.0-only
# The module is loaded before kvm-amd or kvm-intel, as can happen at boot.

nok "no KVM yet" test -e /dev/kvm
ok "loads" load
ok "features are as this kernel allows" states_expected
ok "what is redirected is what it says" as_reported
ok "kvm-amd is loaded after it" insmod /modules/kvm-amd.ko
tap ./probe present
ok "kvm-amd is unloaded before it" rmmod kvm_amd
ok "unloads" unload
ok "nothing is left" clean
