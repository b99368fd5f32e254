#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# UEFI Secure Boot, with the keys that machines are sold with: the module is refused until the key
# that dkms signed it with is enrolled. After that, it is loaded.
. "$(dirname "$0")/../lib/lifecycle.sh"
of_distribution debian12

system_new secure bookworm
secure_new secure
kernel=$(system_kernels secure)
point "$kernel" "apt install openssl mokutil" apt_get secure "$kernel" install openssl mokutil
point "$kernel" "apt install" installs secure "$kernel" "$deb"
point "$kernel" "dkms built it" built secure "$version" "$kernel"
point "$kernel" "modinfo -F signer" signed secure "$kernel"
boot_points "$kernel" secure_minimal "secure boot without the key" secure module.sig_enforce=1 gmem_key=unknown
point "$kernel" "the key is enrolled at the console" secure_enrol secure 12345678
boot_points "$kernel" secure_minimal "secure boot with the key" secure module.sig_enforce=1 gmem_key=known
BOOT_SECURE=yes boots secure "$kernel" active module.sig_enforce=1
system_drop secure
plan
