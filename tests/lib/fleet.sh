# SPDX-License-Identifier: GPL-2.0-only
# Two hosts of a fleet: systems that run side by side and are reached by ssh over loopback only.
# Needs common.sh, packages.sh, kernels.sh, boot.sh, systems.sh.

fleet=$cache/fleet
fleet_port=${FLEET_PORT:-2201}	# of the first; the others follow
fleet_hosts=(node00 node01)
declare -A fleet_pid=()

# fleet_system: make the system that runs on the hosts. Hosts that get modules which were built elsewhere need no
# compiler, and these hosts have no headers either.
fleet_system()
{
	local release
	system_new fleet bookworm
	release=$(system_kernels fleet | tail -n 1)
	# The headers are purged by name, because autoremove would leave those of the running kernel.
	in_system fleet "$release" sh -e -c '
		apt-get -q update
		apt-get -q install -y --no-install-recommends libnuma1 openssh-server python3 python3-apt
		apt-get -q purge -y dkms linux-headers-amd64 "linux-headers-$1" "linux-headers-*-common"
		apt-get -q autoremove -y --purge
		apt-get clean
		systemctl disable apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
			e2scrub_all.timer e2scrub_reap.service fstrim.timer
		systemctl enable systemd-networkd
		rm -f /etc/systemd/system/*/e2scrub*
		cat >/etc/systemd/network/all.network <<-END
			[Match]
			Name=en* eth*
			[Network]
			Address=10.0.2.15/24
			LinkLocalAddressing=no
		END' sh "$release"
	fleet_network "$release"
}

# fleet_network RELEASE: add the driver of the hosts' network card, which the test systems are made without.
fleet_network()
{
	local release=$1 dir=lib/modules/$1/kernel
	if with_system fleet sh -c "ls \"\$root/$dir/drivers/net/\"virtio_net.ko*" >/dev/null 2>&1; then
		return
	fi
	in_system fleet "$release" sh -e -c '
		cd /tmp
		apt-get -q -o APT::Sandbox::User=root download "linux-image-$1"
		dpkg-deb --fsys-tarfile linux-image-*.deb |
			tar -C / -x --wildcards "./$2/drivers/net/virtio_net.ko*" "./$2/drivers/net/net_failover.ko*"
		depmod "$1"' sh "$release" "$dir"
}

# fleet_image: make a disk of that system, with access for a new ssh key; put the kernel beside it.
fleet_image()
{
	rm -rf "$fleet"
	mkdir -p "$fleet"
	ssh-keygen -q -t ed25519 -N "" -C fleet -f "$fleet/key"
	with_system fleet sh -e -c '
		mkdir -p -m 700 "$root/root/.ssh"
		cp "$1/key.pub" "$root/root/.ssh/authorized_keys"
		echo root >"$root/etc/hostname"
		size=$(du -sk "$root" | cut -f 1)
		mke2fs -q -t ext4 -O ^has_journal -E root_owner=0:0 -d "$root" "$1/disk" "$((size * 6 / 5 + 524288))k"
		cp "$root"/boot/vmlinuz-* "$1/vmlinuz"
		cp "$root"/boot/initrd.img-* "$1/initrd"' sh "$fleet"
}

# fleet_boot HOST PORT: start the host. What it writes to its disk is lost when QEMU ends.
#
# The two nodes have one CPU each, because QEMU runs all CPUs in one thread; see boot.sh.
fleet_boot()
{
	"$qemu" -accel tcg,thread=single -cpu max,+svm -M q35 -nodefaults -display none \
		-name "$1" -smp 2,sockets=2,cores=1 -m 1536M \
		-object memory-backend-ram,size=768M,id=m0 -object memory-backend-ram,size=768M,id=m1 \
		-numa node,memdev=m0,cpus=0,nodeid=0 -numa node,memdev=m1,cpus=1,nodeid=1 \
		-drive "file=$fleet/disk,format=raw,if=virtio,snapshot=on" \
		-netdev "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:$2-10.0.2.15:22" \
		-device virtio-net-pci,netdev=net,romfile= -object rng-random,id=rng,filename=/dev/urandom \
		-device virtio-rng-pci,rng=rng \
		-serial "file:$fleet/console-$1.log" -kernel "$fleet/vmlinuz" -initrd "$fleet/initrd" \
		-append "root=/dev/vda rw console=ttyS0 panic=-1 panic_on_warn=1 oops=panic systemd.hostname=$1" \
		</dev/null >"$fleet/qemu-$1.log" 2>&1 &
	fleet_pid[$1]=$!
}

# fleet_ssh HOST COMMAND...
fleet_ssh()
{
	local host=$1 i
	shift
	for i in "${!fleet_hosts[@]}"; do
		[ "${fleet_hosts[i]}" = "$host" ] || continue
		ssh -F "$fleet/ssh_config" -p $((fleet_port + i)) root@127.0.0.1 "$@"
		return
	done
	die "no host is called $host"
}

# fleet_start: start all hosts, and wait until they can be reached by ssh and are up.
fleet_start()
{
	local i deadline=$((SECONDS + boot_hung * ${BOOT_PATIENCE:-1}))
	cat >"$fleet/ssh_config" <<-EOF
		IdentityFile $fleet/key
		IdentitiesOnly yes
		StrictHostKeyChecking no
		UserKnownHostsFile /dev/null
		LogLevel ERROR
		ConnectTimeout 60
	EOF
	for i in "${!fleet_hosts[@]}"; do
		fleet_boot "${fleet_hosts[i]}" $((fleet_port + i))
	done
	for i in "${fleet_hosts[@]}"; do
		until fleet_ssh "$i" systemctl is-system-running --wait >"$fleet/state-$i" 2>/dev/null ||
			grep -q degraded "$fleet/state-$i"; do
			[ $SECONDS -lt $deadline ] || die "$i cannot be reached; its console is $fleet/console-$i.log"
			kill -0 "${fleet_pid[$i]}" || die "$i is gone; see $fleet/qemu-$i.log"
			sleep 5
		done
	done
}

fleet_stop()
{
	local pid
	for pid in "${fleet_pid[@]}"; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	fleet_pid=()
}

# fleet_release VERSION [FILE SED_SCRIPT]: build the packages of that version, with a fault if one is given: the
# packages of the sources, of the tools, and of the module for the hosts' kernel.
fleet_release()
{
	local version=$1 dir=$fleet/source release
	release=$(system_kernels fleet | tail -n 1)
	rm -rf "$dir"
	mkdir -p "$dir" "$fleet/packages"
	tar -C "$top" -c --exclude-vcs --exclude=./dist . | tar -C "$dir" -x
	sed -i "s/^PACKAGE_VERSION=.*/PACKAGE_VERSION=\"$version\"/" "$dir/dkms.conf"
	sed -i "1s/(.*)/($version)/" "$dir/debian/changelog"
	if [ $# -gt 1 ]; then
		sed -i -e "$3" "$dir/$2"
		! cmp -s "$dir/$2" "$top/$2" || die "the fault for $version changes nothing in $2"
	fi
	"$dir/packaging/build.sh" deb "$fleet/packages"
	system_new fleet-build bookworm
	mv "$dir" "$systems/fleet-build/upper/source"
	in_system fleet-build "$release" /source/packaging/modules-deb "/usr/src/linux-headers-$release" /out
	cp "$systems/fleet-build/upper/out/"*.deb "$fleet/packages/"
	system_drop fleet-build
}

# fleet_inventory: write the inventory: the hosts, and the variables for this fleet.
fleet_inventory()
{
	local i
	{
		echo "[kvm_hosts]"
		for i in "${!fleet_hosts[@]}"; do
			echo "${fleet_hosts[i]} ansible_port=$((fleet_port + i))"
		done
		cat <<-EOF
			[kvm_hosts:vars]
			ansible_host=127.0.0.1
			ansible_user=root
			ansible_become=false
			ansible_ssh_common_args=-F $fleet/ssh_config
			ansible_python_interpreter=/usr/bin/python3
			kvm_gmem_numa_packages_dir=$fleet/packages
			kvm_gmem_numa_source=prebuilt
			kvm_gmem_numa_activate=now
			kvm_gmem_numa_placement=require
		EOF
	} >"$fleet/inventory"
}

# fleet_rollout NAME ARGUMENT...: run the playbook; its output is $fleet/NAME.
fleet_rollout()
{
	local out=$fleet/$1
	shift
	(cd "$top/packaging/ansible" && ANSIBLE_NOCOLOR=1 ANSIBLE_TIMEOUT=120 \
		ansible-playbook -i "$fleet/inventory" "$@" rollout.yml) >"$out" 2>&1
}

# fleet_record NAME COMMAND: print the output of a rollout, tidied up for the document.
fleet_record()
{
	printf '```\n$ %s\n' "$2"
	sed -e '/^included: /d' -e 's/ \*\*\*\**$//' -e 's/TASK \[kvm_gmem_numa : /TASK [/' \
		-e "s|$fleet|/srv|g" -e 's/ *$//' "$fleet/$1" | cat -s
	printf '```\n'
}

# fleet_document: put the record between two marks in docs/fleet-run.md.
fleet_document()
{
	awk -v record="$fleet/record" -v commit="$(at_commit)" '
		/^<!-- rollout: / { print $0 "\n\nRecorded at commit " commit ".\n"; while ((getline line < record) > 0) print line; print ""; skip = 1; next }
		/^<!-- end of rollout/ { skip = 0 }
		!skip' "$top/docs/fleet-run.md" >"$fleet/document"
	cat "$fleet/document" >"$top/docs/fleet-run.md"
}
