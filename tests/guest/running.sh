# SPDX-License-Identifier: GPL-2.0-only
# For scenarios on systems with systemd.

# A unit that failed makes the system "degraded". udev loads KVM, and that can take longer than starting all units.
running()
{
	udevadm settle --timeout=600
	systemctl is-system-running --wait
	systemctl --failed --plain --no-legend | while read -r unit _; do
		journalctl -b --no-pager -n 5 -u "$unit"
	done
	[ "$(systemctl is-system-running)" = running ]
}
