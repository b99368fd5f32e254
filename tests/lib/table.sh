# SPDX-License-Identifier: GPL-2.0-only
# The table of kernels that `make check-kernels` writes. Needs common.sh and what runs
# the tests. All columns are derived from what the tests print.

table=$cache/kernels.md

table_begin()
{
	printf 'Found at commit %s.\n\n' "$(at_commit)" >"$table"
	cat >>"$table" <<-'EOF'
		| kernel | release | guest_memfd | 2 MiB mappings | private memory | TSC gate, VM | TSC gate, vCPU | redirects | shims | passed | failed | skipped |
		| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
	EOF
	: >"$table.skipped"
}

# count_points LOG: set passed, failed and skipped from the log of prove --verbose. With --timer, prove also
# prints "ok", without a number, and a time for each script.
count_points()
{
	skipped=$(grep -c '^ok .*# SKIP' "$1") || true
	passed=$(grep -c '^ok [0-9]' "$1") || true
	passed=$((passed - skipped))
	failed=$(grep -c '^not ok ' "$1") || true
}

# say_failures LOG
say_failures()
{
	if grep -E '^(not ok|Parse errors|  (Failed|Non-zero|Parse))|^Result: FAIL' "$1" | head -n 20 >&2; then
		say "the whole log is $1"
	fi
}

# table_row KERNEL: run the kernel's tests, and add a row with the results.
table_row()
{
	local log=$cache/log/kernel-$1.tap status=0 passed failed skipped
	cd "$top/tests"
	# shellcheck disable=SC2046 # a list of words
	GMEM_KERNEL=$1 prove --merge --verbose --timer --jobs "$(nproc)" $(scripts_of "$(cat "$work/class")") \
		>"$log" 2>&1 || status=1
	cd "$top"
	count_points "$log"
	sed -n 's/^ok [0-9]* - \(.*\) # SKIP \(.*\)/\2: \1/p' "$log" | sort | uniq -c |
		sed "s/^ *\([0-9]*\) /$1: \1 x /" >>"$table.skipped"
	[ -n "$kernel_runs" ] || echo "$1: all that boots: its KVM wants a constant TSC, which QEMU does not emulate" >>"$table.skipped"
	printf '| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n' "$1" "$kernel_release" \
		"$(found "$log" guest_memfd)" "$(found "$log" huge_mappings)" "$(found "$log" private_policy)" \
		"$(found "$log" tsc_vm_gate)" "$(found "$log" tsc_vcpu_gate)" \
		"$(found "$log" redirects)" "$(shims)" "$passed" "$failed" "$skipped" >>"$table"
	tail -n 1 "$table" >&2
	say_failures "$log"
	return $status
}

table_missing()
{
	echo "| $1 | could not be had or built | | | | | | | | | 1 | |" >>"$table"
}

# found LOG WHAT: print what the module reported about itself in the booted kernel.
found()
{
	local what
	what=$(sed -n "s/^# found $2: //p" "$1" | sort -u | paste -sd ' ')
	echo "${what:-not run}"
}

# The differences from the newest kernel for which there is a shim: how many of the
# questions in compat/probes/ were answered as on older kernels.
shims()
{
	sed -n 's/^gmem-older += //p' "$work/module/compat/have.mk" | grep -vc NATIVE_POLICY || true
}

table_end()
{
	if [ -s "$table.skipped" ]; then
		printf '\nSkipped, and why:\n\n'
		awk '{
			kernel = $1
			sub(/:$/, "", kernel)
			sub(/^[^ ]* /, "")
			if (!($0 in kernels))
				order[++n] = $0
			kernels[$0] = kernels[$0] (kernels[$0] ? ", " : "") kernel
		}
		END { for (i = 1; i <= n; i++) print "- " order[i] " (" kernels[order[i]] ")" }' "$table.skipped"
	fi >>"$table"
	say ""
	cat "$table"
}

# table_into DOCUMENT MARK TABLE: put the table between the lines "<!-- MARK: ..." and "<!-- end of MARK".
table_into()
{
	awk -v mark="$2" -v table="$3" '
		index($0, "<!-- " mark ": ") == 1 {
			print; print ""; while ((getline line < table) > 0) print line; print ""; skip = 1; next
		}
		index($0, "<!-- end of " mark) == 1 { skip = 0 }
		!skip' "$1" >"$3.document"
	cat "$3.document" >"$1"
}
