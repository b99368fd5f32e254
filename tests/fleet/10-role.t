#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Static checks of the Ansible role: lint, and agreement with other files.
. "$(dirname "$0")/../lib/fleetprove.sh"
cd "$top"

yaml_lint()
{
	yamllint -d '{extends: default, rules: {line-length: {max: 140}, comments-indentation: disable}}' packaging/ansible packaging/kmm
}

# With -q, ansible-lint prints nothing if nothing is wrong.
ansible_lint()
{
	(cd packaging/ansible && NO_COLOR=1 ansible-lint --offline --nocolor -q rollout.yml roles 2>&1)
}

same_kernels()
{
	grep -qxF "kvm_gmem_numa_kernel_regex: $(sed -n 's/^BUILD_EXCLUSIVE_KERNEL="\(.*\)"/\1/p' dkms.conf)" "$role/vars/main.yml"
}

functions_differ()
{
	diff <(sed -n '/^kvm_gmem_numa_functions:/,/^[^ ]/s/^  - //p' "$role/vars/main.yml" | sort) \
		<(grep -rhoE 'DEFINE_REDIRECT\([a-z_]+, *"[a-z_0-9]+"' src/hooks | sed 's/.*"\(.*\)"/\1/' | sort)
}

# Compare the functions that are redirected while no slot is bound and the parameters have their defaults, by the names
# that KVM gives them.
always_differ()
{
	local name
	diff <(sed -n '/^kvm_gmem_numa_always:/,/^[^ ]/s/^  - //p' "$role/vars/main.yml" | sort) \
		<(for name in $(sed -n '/HOOKS_FOR_SLOTS/!s/.*X(\([a-z_]*\), HOOKS_[A-Z_]*).*/\1/p' compat/kvm_hooks.h); do
			grep -rhoE "DEFINE_REDIRECT\($name, *\"[a-z_0-9]+\"" src/hooks | sed 's/.*"\(.*\)"/\1/'
		done | sort)
}

same_rule()
{
	diff <(grep ^ACTION packaging/boot/80-kvm-gmem-numa.rules) <(sed -n 's/^ *\(ACTION.*\)/\1/p' "$role/tasks/install.yml")
}

# The table between the marks in docs/fleet.md.
documented()
{
	sed -n '/^<!-- variables: /,/^<!-- end of variables/p' docs/fleet.md | grep '^|'
}

undocumented()
{
	diff <(documented) <(/usr/bin/python3 tests/fleet/options.py table "$role")
}

python_style()
{
	/usr/bin/python3 -m pyflakes packaging/ansible tests/fleet/*.py
	/usr/bin/python3 -m pycodestyle --max-line-length=100 packaging/ansible tests/fleet/*.py
}

silent "yamllint has nothing to say" yaml_lint
silent "ansible-lint has nothing to say" ansible_lint
silent "pyflakes and pycodestyle have nothing to say" python_style
silent "defaults are those of the argument specification" /usr/bin/python3 tests/fleet/options.py differ "$role"
silent "docs/fleet.md has the table of variables" undocumented
check "kernels are those of dkms.conf" same_kernels
silent "functions are those that src/hooks/ redirects" functions_differ
silent "the list of functions that are always redirected is that of compat/" always_differ
silent "the role's udev rule is that of the package of sources" same_rule
plan
