# SPDX-License-Identifier: GPL-2.0-only
# Simulated hosts, to test what Ansible does with many hosts: each host is a layer over the system of fleet.sh,
# with real dpkg, apt and Python, and a kernel that is made of files. Simulated hosts prove nothing about the
# module; the hosts that boot do that. Needs common.sh, packages.sh, systems.sh.

SIM=$cache/sim
export SIM SIM_LOWER
sim_release=$(uname -r)

# sim_start HOST...: make what the hosts share, and one layer for each host.
sim_start()
{
	local host program
	SIM_LOWER=$systems/fleet/upper:$(cat "$systems/fleet/lower")
	rm -rf "${SIM:?}"
	mkdir -p "$SIM"/{hosts/usr/sbin,hosts/usr/bin,hosts/sys/module/kvm_amd,hosts/dev,packages}
	mkdir -p "$SIM/hosts/lib-of-kernel"
	for program in sbin/modprobe sbin/modinfo bin/dmesg; do
		cp "$top/tests/fleet/sim/kmod" "$SIM/hosts/usr/$program"
	done
	: >"$SIM/hosts/dev/kvm"
	: >"$SIM/hosts/dev/null"
	mkdir -p "$SIM/hosts/usr/lib/modules/$sim_release"
	: >"$SIM/hosts/usr/lib/modules/$sim_release/modules.dep"
	rmdir "$SIM/hosts/lib-of-kernel"
	{
		echo "[kvm_hosts]"
		printf '%s\n' "$@"
		echo "[kvm_hosts:vars]"
		echo "ansible_ssh_executable=$top/tests/fleet/sim/ssh"
		echo "ansible_ssh_transfer_method=piped"
		echo "ansible_ssh_args="
		echo "ansible_become=false"
		echo "ansible_python_interpreter=/usr/bin/python3"
		echo "kvm_gmem_numa_source=prebuilt"
		echo "kvm_gmem_numa_activate=now"
		echo "kvm_gmem_numa_packages_dir=$SIM/packages"
	} >"$SIM/inventory"
	for host; do
		mkdir -p "$SIM/$host"/{upper,work,root}
	done
}

# sim_control NAME VERSION
sim_control()
{
	printf '%s\n' "Package: $1" "Version: $2" "Architecture: amd64" "Maintainer: nobody" "Description: simulated"
}

# sim_dkms HOST: install the package of the sources, which builds nothing there.
sim_dkms()
{
	local dir=$SIM/build file=kvm-gmem-numa-dkms_0.0.9_amd64.deb
	mkdir -p "$dir/DEBIAN" "$SIM/$1/upper/var/cache/kvm-gmem-numa"
	sim_control kvm-gmem-numa-dkms 0.0.9 >"$dir/DEBIAN/control"
	dpkg-deb --root-owner-group --build "$dir" "$SIM/$1/upper/var/cache/kvm-gmem-numa/$file"
	rm -rf "$dir"
	"$top/tests/fleet/sim/ssh" "$1" "dpkg -i /var/cache/kvm-gmem-numa/$file"
}

# sim_package VERSION [NAME=VALUE...]: make the packages of a version, whose module has these properties.
sim_package()
{
	local version=$1 dir=$SIM/build name
	shift
	for name in "modules-$sim_release" tools; do
		rm -rf "$dir"
		mkdir -p "$dir/DEBIAN"
		if [ "$name" = tools ]; then
			install -D "$top/tests/fleet/sim/kmod" "$dir/usr/sbin/kvm-gmem-numa-check"
		else
			mkdir -p "$dir/lib/modules/$sim_release/updates"
			printf '%s\n' "$@" "version=$version" "srcversion=SAME" >"$dir/lib/modules/$sim_release/updates/kvm-gmem-numa.ko"
			grep -q ^guest_memfd= "$dir/lib/modules/$sim_release/updates/kvm-gmem-numa.ko" ||
				echo guest_memfd=active >>"$dir/lib/modules/$sim_release/updates/kvm-gmem-numa.ko"
		fi
		sim_control "kvm-gmem-numa-$name" "$version" >"$dir/DEBIAN/control"
		[ "$name" = tools ] || echo "Conflicts: kvm-gmem-numa-dkms" >>"$dir/DEBIAN/control"
		dpkg-deb --root-owner-group --build "$dir" "$SIM/packages/kvm-gmem-numa-${name}_${version}_amd64.deb"
	done
	rm -rf "$dir"
}

# sim_rollout ARGUMENT...: run the playbook. Its output goes to $SIM/out, and the commands that it ran on
# hosts go to $SIM/asked. Commands that tests run on hosts later go to $SIM/calls only.
sim_rollout()
{
	local status=0
	: >"$SIM/calls"
	(cd "$top/packaging/ansible" && ANSIBLE_NOCOLOR=1 ansible-playbook -i "$SIM/inventory" "$@" rollout.yml) \
		>"$SIM/out" 2>&1 || status=$?
	cp "$SIM/calls" "$SIM/asked"
	return $status
}

# sim_verdict HOST: print the host's wave and verdict, from the table.
sim_verdict()
{
	awk -v host="$1" '/^ROLLOUT/ { on = 1 } on && $1 == host { print $2, $3, $4; exit }' "$SIM/out"
}

# sim_changed HOST: print how many tasks changed the host.
sim_changed()
{
	sed -n "s/^$1 .* changed=\([0-9]*\) .*/\1/p" "$SIM/out"
}

# sim_version HOST: print the version of the module that is "loaded", and that of the package.
sim_version()
{
	local loaded
	loaded=$(cat "$SIM/$1/upper/sys/module/kvm_gmem_numa/version" 2>/dev/null || echo none)
	"$top/tests/fleet/sim/ssh" "$1" "dpkg-query -W -f '\${Version}' kvm-gmem-numa-modules-$sim_release 2>/dev/null || echo none" |
		sed "s/^/$loaded /"
}
