# SPDX-License-Identifier: GPL-2.0-only
# A SEV-SNP guest of QEMU: a program that makes the same calls, and then the binary that Debian ships, with
# snp_shim.so in place of the hardware. The guest of the first QEMU does not run, the guest of the second does.

# Memory below 4 GiB ends in the middle of the second node's memory, m1. The firmware has no policy, nor has the option
# ROM, which covers a part of the first node's memory, m0.
nodes=0=1,c0000=0,e0000=1,2000000=2,f0000000=0,100000000=2,102000000=3,104000000=2,140000000=2
convert=500000=200000,2400000=100000,100100000=100000,102000000=1000000,103001000=25000
plug='{ "execute": "qmp_capabilities" }
{ "execute": "object-add", "arguments": { "qom-type": "memory-backend-memfd", "id": "m4", "size": 33554432,
	"host-nodes": [ 1 ], "policy": "bind" } }
{ "execute": "device_add", "arguments": { "driver": "pc-dimm", "id": "d4", "memdev": "m4" } }
'

# monitor: relay what QEMU's monitor says; if it refuses something, QEMU would wait for ever.
monitor()
{
	while read -r line; do
		echo "# $line"
		case $line in
		*'"error"'*) kill "$(pidof qemu-system-x86_64)" ;;
		esac
	done </tmp/monitor.out
}

# qemu [VARIABLE=VALUE]: a variable of snp_shim.so.
qemu()
{
	rm -f /tmp/monitor.in /tmp/monitor.out
	mkfifo /tmp/monitor.in /tmp/monitor.out
	monitor &
	env "$@" SNP_NODES=$nodes SNP_CONVERT=$convert SNP_MONITOR=/tmp/monitor.in "SNP_PLUG=$plug" SNP_PLUG_GPA=140000000 \
		LD_PRELOAD=./snp_shim.so qemu-system-x86_64 \
		-accel kvm -cpu qemu64 -smp 2 -nodefaults -no-user-config -display none -global kvm-apic.vapic=off \
		-machine q35,confidential-guest-support=snp,max-ram-below-4g=64M -bios /tmp/firmware \
		-object "sev-snp-guest,id=snp,cbitpos=$cbitpos,reduced-phys-bits=1,sev-device=/dev/null" \
		-m 144M,slots=1,maxmem=1G \
		-object memory-backend-memfd,id=m0,size=32M,host-nodes=0,policy=bind \
		-object memory-backend-memfd,id=m1,size=64M,host-nodes=1,policy=bind,prealloc=on \
		-object memory-backend-memfd,id=m2,size=32M,host-nodes=0-1,policy=interleave \
		-object memory-backend-ram,id=m3,size=16M,host-nodes=1,policy=preferred \
		-numa node,memdev=m0,cpus=0 -numa node,memdev=m1,cpus=1 -numa node,memdev=m2 -numa node,memdev=m3 \
		-chardev pipe,id=monitor,path=/tmp/monitor -mon chardev=monitor,mode=control
}

# off_policy COMMAND...: some of the pages that it looks at are not on the node that the policy names.
off_policy()
{
	"$@" | grep "not ok.*follow the policy"
}

# A huge page of the shared half would be on one node, where each private page is interleaved by itself.
echo never >/sys/kernel/mm/transparent_hugepage/enabled
cbitpos=$(./snp_firmware /tmp/firmware)
qemu-system-x86_64 --version | sed 's/^/# /'
insmod ./private_mem.ko
sw_protected
ok "without the module, private pages are off the policy" off_policy ./qemu_client
ok "without the module, QEMU's are as well" off_policy qemu
ok "without the module, a running guest's are as well" off_policy qemu SNP_RUNS=1
if [ -e kvm-gmem-numa.ko ]; then
	ok "loads" load
	tap ./qemu_client
	tap qemu
	tap qemu SNP_RUNS=1
	ok "unloads" unload
fi
