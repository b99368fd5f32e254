#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The manifests for Kernel Module Management, as far as they can be checked without a cluster;
# and the build file's commands, run in a system of Debian 12 in place of its base image.
. "$(dirname "$0")/../lib/fleetprove.sh"
cd "$top/packaging/kmm"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

manifests()
{
	/usr/bin/python3 "$top/tests/fleet/kmm.py" check "$1" "$2" "$top/tests/fleet/kmm.schema.json" "$version"
}

# with_fault FILE SED_SCRIPT: the check complains about the manifests once the script has changed the file.
with_fault()
{
	cp module.yaml dockerfile.yaml "$dir/"
	sed -i -e "$2" "$dir/$1"
	! cmp -s "$1" "$dir/$1" || return
	[ -n "$(manifests "$dir/module.yaml" "$dir/dockerfile.yaml")" ]
}

silent "nothing is wrong with the manifests" manifests module.yaml dockerfile.yaml

while IFS='|' read -r text file script; do
	check "noticed: $text" with_fault "$file" "$script"
done <<'END'
a field that KMM does not have|module.yaml|s/moduleName:/modulName:/
both a regexp and a literal|module.yaml|s/- regexp: .*/&\n          literal: 6.1.0-50-amd64/
an image without a tag|module.yaml|s/kvm-gmem-numa:0.1.0-6.12.95-deb12-amd64/kvm-gmem-numa/
a tag that no registry takes|module.yaml|s/0.1.0-6.12.95-deb12/0.1.0-6.12.95+deb12/
a regexp for kernels that are too old|module.yaml|s/6\\.1\\.0-\[0-9\]+/.*/
a build file that is not there|module.yaml|s/name: kvm-gmem-numa-dockerfile/name: kvm-gmem-numa-buildfile/
an argument that the build file does not take|module.yaml|s/name: SOURCE/name: SOURCES/
a build file that uses what it was not given|dockerfile.yaml|/ARG KERNEL_FULL_VERSION/d
a build file elsewhere|dockerfile.yaml|s/namespace: .*/namespace: default/
another version|module.yaml|s/version: 0.1.0/version: 0.0.9/
END

# Run the commands of the builder stage in a system of Debian 12 in place of the base image.
release=$(system_kernels fleet | tail -n 1)
system_fork fleet-kmm fleet
trap 'rm -rf "$dir"; system_drop fleet-kmm' EXIT
copy_tree "$systems/fleet-kmm/upper/usr/src/kvm-gmem-numa"
cp "$top/Makefile" "$systems/fleet-kmm/upper/usr/src/kvm-gmem-numa/"
# The suites, in the format in which the base image lists them.
mkdir -p "$systems/fleet-kmm/upper/etc/apt/sources.list.d"
awk '$4 !~ /backports/ {
	printf "Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n", $3, $4
}' "$systems/base/bookworm.list" >"$systems/fleet-kmm/upper/etc/apt/sources.list.d/debian.sources"
in_system fleet-kmm "$release" sh -c 'rm -f /etc/apt/sources.list.d/*.list'
while read -r line; do
	check "runs: $line" in_system fleet-kmm "$release" env DEBIAN=bookworm "KERNEL_FULL_VERSION=$release" sh -c "$line"
done < <(/usr/bin/python3 "$top/tests/fleet/kmm.py" run dockerfile.yaml)

image=$systems/fleet-kmm/upper/opt
vermagic()
{
	modinfo -F vermagic "$image/lib/modules/$release/kvm-gmem-numa.ko" | grep "^$release "
}

# Call modprobe as KMM's worker does, except that nothing is loaded.
modprobe_finds()
{
	modprobe -d "$image" -S "$release" --show-depends kvm_gmem_numa | grep "/lib/modules/$release/kvm-gmem-numa.ko"
}

check "the image has a module for $release" vermagic
check "modprobe finds it by the name in module.yaml" modprobe_finds
plan
