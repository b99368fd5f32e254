# SPDX-License-Identifier: GPL-2.0-only
# UEFI Secure Boot and module.sig_enforce=1, with the module as dkms signed it. gmem_key says whether the key is
# enrolled: if it is "unknown", the scenario requests the enrolment, with the password 12345678; the other value
# is "known".

refused()
{
	! insmod "$1" 2>/tmp/refused && ! loaded
}

says()
{
	cat /tmp/refused
	grep -q "$1" /tmp/refused
}

# logged REASON: the kernel's log says that a module was rejected, and for which reason.
logged()
{
	dmesg_says "Loading of $1 is rejected"
}

asks()
{
	printf '12345678\n12345678\n' | mokutil --import mok.pub
	mokutil --list-new
	cat /sys/firmware/efi/efivars/MokNew-* >/dev/null
}

enrolled()
{
	mokutil --test-key mok.pub 2>&1 | tee /dev/stderr | grep -q 'is already enrolled'
}

echo "# $(uname -r)"
insmod ./efivarfs.ko
mount -t efivarfs efivarfs /sys/firmware/efi/efivars
ok "Secure Boot is on" sh -c "mokutil --sb-state | grep -x 'SecureBoot enabled'"
mount -t securityfs securityfs /sys/kernel/security
ok "the kernel is locked down" grep -F '[integrity]' /sys/kernel/security/lockdown
dmesg_mark
ok "without its signature, the module is refused" refused ./unsigned.ko
ok "insmod says why" says "Key was rejected by service\|Operation not permitted"
ok "the kernel's log says why" logged "unsigned module\|unsigned module loading"
if [ "$(parameter gmem_key)" = unknown ]; then
	nok "the key is not enrolled" enrolled
	dmesg_mark
	ok "the module is refused" refused ./kvm-gmem-numa.ko
	ok "insmod says: Key was rejected by service" says "Key was rejected by service\|Required key not available"
	ok "the kernel's log says: Loading of module with unavailable key is rejected" \
		logged "module with unavailable key"
	ok "mokutil --import mok.pub" asks
else
	ok "the key is enrolled" enrolled
	ok "the module is loaded" load
	ok "each feature works" ./probe present
fi
dmesg_new | sed 's/^/# log: /'
