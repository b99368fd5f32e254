# SPDX-License-Identifier: GPL-2.0-only
# What the scripts in fleet/ share. tests/run has built the systems and the packages.

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$top/tests/lib/packages.sh"
. "$top/tests/lib/kernels.sh"
. "$top/tests/lib/boot.sh"
. "$top/tests/lib/build.sh"
. "$top/tests/lib/systems.sh"
. "$top/tests/lib/fleet.sh"
. "$top/tests/lib/sim.sh"
. "$top/tests/lib/tap.sh"

role=$top/packaging/ansible/roles/kvm_gmem_numa
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$top/dkms.conf")
