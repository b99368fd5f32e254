# SPDX-License-Identifier: GPL-2.0-only
# UEFI Secure Boot of a system: OVMF with Microsoft's keys; shim, GRUB and kernel as Debian signed
# them. Needs what systems.sh needs.

# secure_new NAME: create the firmware variables of the system, with the keys that machines are sold with.
secure_new()
{
	secure_firmware=$(unpack trixie ovmf shim-signed grub-efi-amd64-signed shim-helpers-amd64-signed)
	cp "$secure_firmware/usr/share/OVMF/OVMF_VARS_4M.ms.fd" "$systems/$1/variables"
}

# secure_disk NAME RELEASE PARAMETERS: make an EFI system partition that boots that kernel from the
# system's own disk, and set BOOT_OPTIONS for the firmware and the partition. Called by system_boot.
secure_disk()
{
	local name=$1 release=$2 dir=$systems/$1/boot
	cat >"$dir/grub.cfg" <<-EOF
		search --no-floppy --label --set=root gmem-test
		linux /boot/vmlinuz-$release $boot_parameters $3
		initrd /boot/initrd.img-$release
		boot
	EOF
	secure_esp "$dir"
	kernel_image=
	BOOT_OPTIONS="$(secure_options "$name") -drive file=$dir/esp,format=raw,if=virtio"
}

# secure_minimal TITLE NAME [KERNEL PARAMETER...]: boot the kernel of a system with an initramfs
# of the programs and modules that the test needs, which runs guest/secure.sh.
secure_minimal()
{
	local title=$1 name=$2 dir=$systems/$2/boot ko
	shift 2
	mkdir -p "$dir"
	with_system "$name" sh -e -c '
		cp "$root"/boot/vmlinuz-* "$1/vmlinuz"
		cp "$root"/lib/modules/*/updates/dkms/kvm-gmem-numa.ko* "$root/var/lib/dkms/mok.pub" "$1/"
		cp "$root"/lib/modules/*/kernel/fs/efivarfs/efivarfs.ko* "$1/"' sh "$dir"
	for ko in "$dir"/*.ko.xz; do
		[ ! -e "$ko" ] || xz -d "$ko"
	done
	# The signature is appended to the ELF file, and ends in a marker line of 28 bytes. Without that line, the
	# module counts as unsigned.
	head -c -28 "$dir/kvm-gmem-numa.ko" >"$dir/unsigned.ko"
	kernel_root=$(cut -d : -f 1 <<<"$(tr : '\n' <"$systems/$name/lower" | tail -n 1)")
	kernel_release=$(ls "$kernel_root/lib/modules")
	kernel_name=$name
	kernel_image=
	BOOT_PROGRAMS=mokutil initramfs "$dir/secure.cpio.gz" secure "$dir"/*.ko "$dir/mok.pub" "$programs/probe"
	cat >"$dir/grub.cfg" <<-EOF
		search --no-floppy --file --set=root /vmlinuz
		linux /vmlinuz $boot_parameters $*
		initrd /initrd
		boot
	EOF
	secure_esp "$dir"
	mcopy -i "$dir/esp" "$dir/vmlinuz" ::/vmlinuz
	mcopy -i "$dir/esp" "$dir/secure.cpio.gz" ::/initrd
	BOOT_OPTIONS="$(secure_options "$name") -drive file=$dir/esp,format=raw,if=virtio" \
		scenario "$title" "$dir/secure.cpio.gz"
	rm -rf "$dir"
}

# secure_esp DIR: make an EFI system partition with shim, GRUB and DIR/grub.cfg.
secure_esp()
{
	local esp=$1/esp from=$secure_firmware/usr/lib
	truncate -s 128M "$esp"
	mformat -i "$esp" -F ::
	mmd -i "$esp" ::/EFI ::/EFI/BOOT ::/EFI/debian
	mcopy -i "$esp" "$from/shim/shimx64.efi.signed" ::/EFI/BOOT/BOOTX64.EFI
	mcopy -i "$esp" "$from/shim/mmx64.efi.signed" ::/EFI/BOOT/mmx64.efi
	mcopy -i "$esp" "$from/grub/x86_64-efi-signed/grubx64.efi.signed" ::/EFI/BOOT/grubx64.efi
	mcopy -i "$esp" "$1/grub.cfg" ::/EFI/debian/grub.cfg
}

secure_options()
{
	local code=$secure_firmware/usr/share/OVMF/OVMF_CODE_4M.secboot.fd
	echo "-global driver=cfi.pflash01,property=secure,value=on" \
		"-drive if=pflash,format=raw,unit=0,readonly=on,file=$code" \
		"-drive if=pflash,format=raw,unit=1,file=$systems/$1/variables"
}

# secure_enrol NAME PASSWORD: do what an administrator does at the console after mokutil --import. shim's
# MokManager waits ten seconds for a key.
secure_enrol()
{
	local name=$1 password=$2 dir=$systems/$1/boot pid status=0 typed
	secure_screen=$cache/log/console-$1-mokmanager.log
	secure_seen=0
	mapfile -t typed < <(grep -o . <<<"$password")
	mkdir -p "$dir"
	rm -f "$dir/keys"
	mkfifo "$dir/keys"
	: >"$secure_screen"
	secure_disk "$name" none ""
	# shellcheck disable=SC2086 # a list of words
	timeout "$((boot_hung * ${BOOT_PATIENCE:-1}))" "$qemu" -accel tcg,thread=single -cpu max -M q35 -m 512 -nodefaults \
		-display none -no-reboot -serial stdio $BOOT_OPTIONS <>"$dir/keys" >"$secure_screen" 2>"$secure_screen.qemu" &
	pid=$!
	secure_press "$name" 'Press any key' x &&
		secure_press "$name" 'Enroll MOK' '\e[B' '\r' &&
		secure_press "$name" 'View key 0' '\e[B' '\r' &&
		secure_press "$name" 'Enroll the key' '\e[B' '\r' &&
		secure_press "$name" 'Password' "${typed[@]}" '\r' &&
		secure_press "$name" 'Reboot' '\r' || status=1
	[ $status -eq 0 ] || kill $pid
	wait $pid || status=1
	rm -rf "$dir"
	return $status
}

# secure_press NAME TEXT KEY...: wait until the text has appeared on the screen since the last keys were pressed, then
# press these keys.
secure_press()
{
	local keys=$systems/$1/boot/keys screen=$secure_screen key _
	for _ in $(seq $((boot_hung / 2 * ${BOOT_PATIENCE:-1}))); do
		if tail -c "+$((secure_seen + 1))" "$screen" | sed 's/\x1b\[[0-9;?]*[A-Za-z]//g' | tr -d '\r\n' | grep -qa "$2"; then
			# MokManager discards keys that are pressed before the screen is complete, or faster than
			# a person types.
			sleep 3
			secure_seen=$(stat -c %s "$screen")
			for key in "${@:3}"; do
				printf '%b' "$key" >"$keys"
				sleep 0.5
			done
			return
		fi
		sleep 1
	done
	say "MokManager never showed: $2"
	return 1
}
