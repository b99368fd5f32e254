# SPDX-License-Identifier: GPL-2.0-only
# Reads the figures that tests/lib/bench.sh measured, one file for each boot. Prints what belongs between
# the marks "bench: NAME" of a document (what=NAME), the limits as test points (what=limits), or
# data for the plot (what=plot).

function base(path) { sub(/.*\//, "", path); return path }

/^release / { release[base(FILENAME)] = $2 }
/^figure / { v[base(FILENAME), $2, $3, $4, $5] = $7 / $6 }
/^profile / {
	key = base(FILENAME) SUBSEP $2
	profile[key, ++profiled[key]] = $4 " " $3
}

function comma(x, s)
{
	s = sprintf("%.0f", x)
	while (s ~ /[0-9][0-9][0-9][0-9]($|,)/)
		sub(/[0-9][0-9][0-9]($|,)/, ",&", s)
	return s
}

function ratio(a, b) { return b ? sprintf(a / b < 0.01 ? "%.3f" : "%.2f", a / b) : "" }

# Instructions per page, or per call.
function ours(op, policy) { return v["ours", "pages", op, "gmem", policy] }
function native(op, policy) { return v["native", "pages", op, "gmem", policy] }
function memfd(op, policy) { return v["plain", "pages", op, "memfd", policy] }

# The same of the section "huge". What is bound to a slot, or what is mapped and an ordinary slot's memory.
function huge(boot, backend, op, policy) { return v[boot, "huge", op, backend, policy] }
function always(op, policy) { return huge("ours-huge", "gmem", op, policy) }
function always_mapped(op, policy) { return huge("ours-huge", "gmem-slot", op, policy) }
function hugetlb(op, policy) { return huge("plain", "memfd-hugetlb", op, policy) }

# How often native and ours clear a page in an operation, on a host with init_on_alloc=1. The table
# of clearings shows that these numbers are right.
function clears_native(op) { return op ~ /^(guest|host)-first|populate/ ? 2 : op ~ /fallocate/ ? 1 : 0 }
function clears_ours(op) { return op ~ /^(guest|host)-first|populate|^fallocate/ ? 1 : 0 }
function rest_ours(op) { return ours(op, "bind") - clears_ours(op) * clearing }
function rest_native(op) { return native(op, "bind") - clears_native(op) * clearing }

function limit(text, found, most)
{
	held = found > 0 && found <= most
	if (what == "limits") {
		points++
		printf "%sok %d - %s: %.2f, at most %.2f\n", held ? "" : "not ", points, text, found, most
	} else {
		printf "| %s | %.2f | %.2f | %s |\n", text, found, most, held ? "yes" : "**no**"
	}
	bad += !held
}

function limits_in_all()
{
	limit("guest first touch, to native", ours("guest-first-touch", "bind") / native("guest-first-touch", "bind"), 0.72)
	limit("host first touch, to native", ours("host-first-touch", "bind") / native("host-first-touch", "bind"), 0.72)
	limit("touch after fallocate, to native", ours("touch-after-fallocate", "bind") / native("touch-after-fallocate", "bind"), 0.25)
	limit("fallocate, to native", ours("fallocate", "bind") / native("fallocate", "bind"), 1)
	limit("punch hole, to native", ours("punch-hole", "bind") / native("punch-hole", "bind"), 1)
	limit("guest first touch, to memfd", ours("guest-first-touch", "bind") / memfd("guest-first-touch", "bind"), 0.60)
}

# Operators who want 2 MiB today take hugetlb.
function limits_of_huge()
{
	limit("2 MiB folios: guest first touch, to hugetlb", always("guest-first-touch", "bind") / hugetlb("guest-first-touch", "bind"), 1.02)
	limit("2 MiB folios: guest first touch, mapped, to hugetlb", always_mapped("guest-first-touch", "bind") / hugetlb("guest-first-touch", "bind"), 1.02)
	limit("2 MiB folios: host first touch, to hugetlb", always("host-first-touch", "bind") / hugetlb("host-first-touch", "bind"), 1.02)
	limit("2 MiB folios: fallocate, to hugetlb", always("fallocate", "bind") / hugetlb("fallocate", "bind"), 1.08)
	limit("2 MiB folios: punching 2 MiB, instructions per page", always("punch-2M", "bind"), 100)
}

# What the module adds to a private page, in the same kernel. Without the module the kernel follows the task's policy
# alone, so it is compared with the same policy there.
function private_of(boot, op, policy) { return v[boot, "private", op, boot ~ /ours/ ? "private" : "private-task", policy] }

function limit_of_private(boot, without, name, op, policy, most)
{
	limit("private memory on " name ": " op ", policy " policy ", to no module", private_of(boot, op, policy) / private_of(without, op, policy), most)
}

function limits_of_private(boot, without, name)
{
	limit_of_private(boot, without, name, "guest-first-touch", "bind", 1.05)
	limit_of_private(boot, without, name, "guest-first-touch", "interleave", 1.05)
	limit_of_private(boot, without, name, "guest-first-touch", "none", 1.02)
	limit_of_private(boot, without, name, "prefault", "bind", 1.05)
	limit_of_private(boot, without, name, "fallocate", "bind", 1.05)
	limit_of_private(boot, without, name, "punch-hole-in-guest", "bind", 1.02)
}

function limits_of_rest(i, n, ops)
{
	n = split("guest-first-touch host-first-touch fallocate punch-hole", ops, " ")
	for (i = 1; i <= n; i++)
		limit(ops[i] " without clearing, to native", rest_ours(ops[i]) / rest_native(ops[i]), 1)
}

# Pages of 4 KiB on the left, and of 2 MiB on the right.
function summary_row(what, operation, operation_huge, one)
{
	operation_huge = operation == "punch-hole" ? "punch-2M" : operation
	one = huge("native", "gmem", operation_huge, "bind")
	printf "| %s | %s | 1 | **%s** | %s | **%s** |\n", what, ratio(memfd(operation, "bind"), native(operation, "bind")),
		ratio(ours(operation, "bind"), native(operation, "bind")), ratio(hugetlb(operation_huge, "bind"), one),
		ratio(always(operation_huge, "bind"), one)
}

function summary()
{
	print "| instructions per page with MPOL_BIND, native = 1 | memfd on 6.12 | native 7.3 | the module on 6.12 | hugetlb memfd | the module, huge=always |"
	print "| --- | ---: | ---: | ---: | ---: | ---: |"
	summary_row("a guest's first touch", "guest-first-touch")
	summary_row("the host's first touch", "host-first-touch")
	summary_row("fallocate()", "fallocate")
	summary_row("the host's touch after fallocate()", "touch-after-fallocate")
	summary_row("punching a hole", "punch-hole")
	print ""
}

function table_limits()
{
	print "| limit | found | at most | held |\n| --- | ---: | ---: | --- |"
	limits_in_all()
	limits_of_huge()
	limits_of_rest()
	limits_of_private("ours", "plain", release["plain"])
	limits_of_private("native-ours", "native", release["native"])
	limit("policy lookup, 10,000 ranges to 1",
	      v["ours", "calls", "policy-lookup-10000", "gmem", "bind"] / v["ours", "calls", "policy-lookup-1", "gmem", "bind"],
	      log(10000) / log(2))
	limit("bystander's guest fault, no bound slot, to no module",
	      v["ours", "bystander", "guest-fault", "anonymous", "idle"] / v["plain", "bystander", "guest-fault", "anonymous", "no-module"],
	      1.01)
	limit("bystander's guest fault, a bound slot with 2 MiB folios, to no module",
	      v["ours-huge", "bystander", "guest-fault", "anonymous", "bound"] / v["plain", "bystander", "guest-fault", "anonymous", "no-module"],
	      1.04)
	print ""
}

function table_pages(policy, i)
{
	printf "MPOL %s:\n\n", policy
	print "| operation | ours | native | memfd | ours / native | ours / memfd |"
	print "| --- | ---: | ---: | ---: | ---: | ---: |"
	for (i = 1; i <= nr_ops; i++)
		printf "| %s | %s | %s | %s | %s | %s |\n", op[i], comma(ours(op[i], policy)),
			comma(native(op[i], policy)), comma(memfd(op[i], policy)),
			ratio(ours(op[i], policy), native(op[i], policy)),
			ratio(ours(op[i], policy), memfd(op[i], policy))
	print ""
}

function table_huge(policy, n, i, o, op)
{
	n = split("guest-first-touch host-first-touch fallocate touch-after-fallocate guest-touch-after-fallocate punch-2M punch-2M-in-guest", op, " ")
	printf "MPOL %s:\n\n", policy
	print "| operation | huge=always | mapped | huge=never | mapped | native | memfd | memfd, THP | hugetlb | always / never | always / hugetlb |"
	print "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
	for (i = 1; i <= n; i++) {
		o = op[i]
		printf "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", o,
			comma(always(o, policy)), comma(always_mapped(o, policy)),
			comma(huge("ours", "gmem", o, policy)), comma(huge("ours", "gmem-slot", o, policy)),
			comma(huge("native", "gmem", o, policy)), comma(huge("plain", "memfd", o, policy)),
			comma(huge("plain", "memfd-thp", o, policy)), comma(hugetlb(o, policy)),
			ratio(always(o, policy), huge("ours", "gmem", o, policy)), ratio(always(o, policy), hugetlb(o, policy))
	}
	print ""
}

function table_tables()
{
	print "| 256 MiB of a guest | KVM's entries of 4 KiB | of 2 MiB | KVM's page tables, KiB | the VMM's, KiB | loads at a TLB miss, guest with 4 KiB pages | with 2 MiB |"
	print "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
	tables_row("huge=always", "ours-huge", "gmem")
	tables_row("huge=always, mapped", "ours-huge", "gmem-slot")
	tables_row("huge=never", "ours", "gmem")
	tables_row("huge=never, mapped", "ours", "gmem-slot")
	tables_row("memfd", "plain", "memfd")
	tables_row("memfd, THP", "plain", "memfd-thp")
	tables_row("hugetlb", "plain", "memfd-hugetlb")
	print ""
}

function tables_of(boot, backend, what) { return v[boot, "tables", what, backend, "bind"] }

function tables_row(name, boot, backend, levels)
{
	# Of KVM's tables, down to the entry that maps memory.
	levels = tables_of(boot, backend, "entries-4K") ? 4 : 3
	printf "| %s | %s | %s | %s | %s | %d | %d |\n", name,
		comma(tables_of(boot, backend, "entries-4K")), comma(tables_of(boot, backend, "entries-2M")),
		comma(tables_of(boot, backend, "kvm-tables-KiB")), comma(tables_of(boot, backend, "vmm-tables-KiB")),
		loads(4, levels), loads(3, levels)
}

# Each level of the guest's tables, and the page that is found at last, has an address of the guest, which KVM's tables
# translate; and each level of the guest's tables is loaded itself.
function loads(guest_levels, levels) { return (guest_levels + 1) * levels + guest_levels }

# The difference that init_on_alloc=0 makes shows how often ours and native clear a page. The last
# columns show the instructions that remain without clearing.
function table_clearings(i, o)
{
	printf "Clearing a page takes %s instructions, which native saves at a host's first touch with init_on_alloc=0.\n\n", comma(clearing)
	print "| operation | ours, init_on_alloc=1 | ours, =0 | native, =1 | native, =0 | ours without clearing | native without | ratio |"
	print "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
	for (i = 1; i <= nr_ops; i++) {
		o = op[i]
		printf "| %s | %s | %s | %s | %s | %s | %s | %s |\n", o, comma(ours(o, "bind")),
			comma(v["ours-no-init", "pages", o, "gmem", "bind"]), comma(native(o, "bind")),
			comma(v["native-no-init", "pages", o, "gmem", "bind"]),
			comma(rest_ours(o)), comma(rest_native(o)), ratio(rest_ours(o), rest_native(o))
	}
	print ""
}

function table_calls(n, i, c)
{
	n = split("create-map-close mbind-1-range mbind-1000-ranges policy-lookup-1 policy-lookup-100 policy-lookup-10000", c, " ")
	print "| per call | ours | native | memfd | ours / native |\n| --- | ---: | ---: | ---: | ---: |"
	for (i = 1; i <= n; i++)
		printf "| %s | %s | %s | %s | %s |\n", c[i],
			comma(v["ours", "calls", c[i], "gmem", policy_of(c[i])]),
			comma(v["native", "calls", c[i], "gmem", policy_of(c[i])]),
			comma(v["plain", "calls", c[i], "memfd", policy_of(c[i])]),
			ratio(v["ours", "calls", c[i], "gmem", policy_of(c[i])], v["native", "calls", c[i], "gmem", policy_of(c[i])])
	printf "\nLoading the module takes %s ms and unloading it %s ms. Most of that time is spent waiting for RCU.\n\n",
		comma(v["ours", "module", "load", "module", "-"] / 1e6), comma(v["ours", "module", "unload", "module", "-"] / 1e6)
}

function policy_of(call) { return call ~ /^create/ ? "none" : "bind" }

function table_bystanders(n, i, c, without)
{
	n = split("guest-fault ioctl-check-extension ioctl-memslot-and-back ioctl-set-tsc-khz ioctl-of-dev-kvm", c, " ")
	print "| a VM without guest_memfd | no module | loaded, no bound slot | a bound slot on the host | a bound slot, huge=always | after it is gone |"
	print "| --- | ---: | ---: | ---: | ---: | ---: |"
	for (i = 1; i <= n; i++) {
		without = v["plain", "bystander", c[i], "anonymous", "no-module"]
		printf "| %s | %s | %s | %s | %s | %s |\n", c[i], comma(without),
			more(v["ours", "bystander", c[i], "anonymous", "idle"], without),
			more(v["ours", "bystander", c[i], "anonymous", "bound"], without),
			more(v["ours-huge", "bystander", c[i], "anonymous", "bound"], without),
			more(v["ours", "bystander", c[i], "anonymous", "idle-again"], without)
	}
	print ""
}

function more(x, without) { return sprintf("%s (%+.0f)", comma(x), x - without) }

function table_growth(n, i, j, c, size, o)
{
	n = split("guest-first-touch host-first-touch fallocate punch-hole", c, " ")
	print "| per page, by size | 16 MiB: ours | native | memfd | 128 MiB: ours | native | memfd | 1 GiB: ours | native | memfd |"
	print "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
	for (i = 1; i <= n; i++) {
		printf "| %s |", c[i]
		for (j = 16; j <= 1024; j *= 8) {
			o = c[i] "-" j "M"
			printf " %s | %s | %s |", comma(v["ours", "growth", o, "gmem", "bind"]),
				comma(v["native", "growth", o, "gmem", "bind"]), comma(v["plain", "growth", o, "memfd", "bind"])
		}
		print ""
	}
	print ""
}

function table_parallel(n, i, j, c, o)
{
	n = split("guest-first-touch host-first-touch fallocate", c, " ")
	print "| ours / memfd, wall-clock time | 1 | 2 | 4 | 8 at once | ours, 2 to 1 | memfd, 2 to 1 |"
	print "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
	for (i = 1; i <= n; i++) {
		printf "| %s |", c[i]
		for (j = 1; j <= 8; j *= 2) {
			o = c[i] "-x" j
			printf " %s |", ratio(v["parallel", "parallel", o, "gmem", "bind"], v["parallel", "parallel", o, "memfd", "bind"])
		}
		printf " %s | %s |\n",
			ratio(v["parallel", "parallel", c[i] "-x2", "gmem", "bind"], v["parallel", "parallel", c[i] "-x1", "gmem", "bind"]),
			ratio(v["parallel", "parallel", c[i] "-x2", "memfd", "bind"], v["parallel", "parallel", c[i] "-x1", "memfd", "bind"])
	}
	print ""
}

# The functions with the largest shares, ours and native side by side.
function table_private(n, i, j, c, p)
{
	n = split("guest-first-touch prefault fallocate punch-hole-in-guest", c, " ")
	print "| private memory, per page | 6.12 | with the module, no policy | bind | interleave | 7.3 | with the module, no policy | bind | interleave |"
	print "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
	for (i = 1; i <= n; i++)
		printf "| %s |%s%s\n", c[i], private_cells("ours", "plain", c[i]), private_cells("native-ours", "native", c[i])
	print ""
}

function private_cells(boot, without, op, i, n, p, text)
{
	text = sprintf(" %s |", comma(private_of(without, op, "none")))
	n = split("none bind interleave", p, " ")
	for (i = 1; i <= n; i++)
		text = text sprintf(" %s (%s) |", comma(private_of(boot, op, p[i])),
			sprintf("%.3f", private_of(boot, op, p[i]) / private_of(without, op, p[i])))
	return text
}

function table_profile(o, i, a, b)
{
	printf "%s:\n\n| ours | %% | native | %% |\n| --- | ---: | --- | ---: |\n", o
	for (i = 1; i <= 12; i++) {
		split(top("ours-profile", o, i), a, " ")
		split(top("native-profile", o, i), b, " ")
		printf "| %s | %s | %s | %s |\n", a[1], a[2], b[1], b[2]
	}
	print ""
}

# The i-th largest share. perf's own order does not serve: it is by name within a column of one width.
function top(file, o, i, k, j, n, best, parts)
{
	k = file SUBSEP o
	n = profiled[k]
	if (!(k in sorted)) {
		for (j = 1; j <= n; j++) {
			split(profile[k, j], parts, " ")
			share[k, j] = parts[2] + 0
			name[k, j] = parts[1]
		}
		sorted[k] = 1
	}
	best = 0
	for (j = 1; j <= n; j++) {
		if (!((k, j) in taken) && (!best || share[k, j] > share[k, best]))
			best = j
	}
	if (!best)
		return ""
	taken[k, best] = 1
	return name[k, best] " " sprintf("%.1f", share[k, best])
}

END {
	nr_ops = split("guest-first-touch host-first-touch populate-write fallocate touch-after-fallocate guest-touch-after-fallocate punch-hole punch-hole-in-guest", op, " ")
	clearing = native("host-first-touch", "bind") - v["native-no-init", "pages", "host-first-touch", "gmem", "bind"]

	if (what == "limits") {
		limits_in_all()
		limits_of_huge()
		limits_of_private("ours", "plain", release["plain"])
		limits_of_private("native-ours", "native", release["native"])
		print "1.." points
		exit
	}
	if (what == "plot") {
		n = split("guest-first-touch host-first-touch fallocate touch-after-fallocate guest-touch-after-fallocate punch-2M punch-2M-in-guest", op, " ")
		for (i = 1; i <= n; i++) {
			one = huge("native", "gmem", op[i], "bind")
			printf "%s %.3f %.3f %.3f %.3f %.3f\n", op[i], huge("ours", "gmem", op[i], "bind") / one,
				always(op[i], "bind") / one, 1, huge("plain", "memfd", op[i], "bind") / one,
				hugetlb(op[i], "bind") / one
		}
		exit
	}
	if (what == "limits-table")
		table_limits()
	else if (what == "releases")
		printf "Measured at commit %s. Ours ran on %s, native on %s, and memfd on %s.\n\n", commit,
			release["ours"], release["native"], release["plain"]
	else if (what == "summary")
		summary()
	else if (what == "pages")
		for (i = split("bind none preferred-many interleave", p, " "); i > 0; i--)
			table_pages(p[5 - i])
	else if (what == "huge") {
		table_huge("bind")
		table_huge("none")
	} else if (what == "tables")
		table_tables()
	else if (what == "clearings")
		table_clearings()
	else if (what == "calls")
		table_calls()
	else if (what == "bystanders")
		table_bystanders()
	else if (what == "private")
		table_private()
	else if (what == "growth")
		table_growth()
	else if (what == "parallel")
		table_parallel()
	else if (what == "profile")
		for (i = 1; i <= split("guest-first-touch host-first-touch fallocate punch-hole", p, " "); i++)
			table_profile(p[i])
	exit bad > 0
}
