#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What can be checked in the tree without a boot: style, with the kernel's own tools and with shellcheck;
# and that the faults for `make check-mutants` still change the source.
. "$(dirname "$0")/../lib/prove.sh"
cd "$top"

mapfile -t module < <(find src compat include -name '*.[ch]' | sort)
mapfile -t tests < <(find tests tools -name '*.[ch]' | sort)
mapfile -t scripts < <(find tests packaging compat .ci -name '*.sh' -o -name '*.t' -o -name run -o -name modules-deb \
	-o -path '*/sim/*' -type f | sort)
mapfile -t all < <(find . \( -path ./.git -o -path ./dist \) -prune -o -type f -print | sort)

checkpatch()
{
	perl "$cache/selftests/checkpatch.pl" --no-tree --terse --no-summary --show-types \
		--max-line-length=100 "$@" 2>&1 | grep -E ' (ERROR|WARNING|CHECK):'
}

# Lists of functions are X-macros: one list, several uses. *_obj() allocators are newer than 6.12.
checkpatch_module()
{
	checkpatch --strict --ignore ALLOC_WITH_SIZEOF,BIT_MACRO,COMPLEX_MACRO,CONSTANT_COMPARISON \
		--ignore MACRO_ARG_REUSE,MACRO_ARG_UNUSED,MULTISTATEMENT_MACRO_USE_DO_WHILE,TRAILING_SEMICOLON \
		-f "${module[@]}"
}

# User space: errno is positive, volatile means "touch it", attributes are spelled out, and a
# check that fails ends its function.
checkpatch_tests()
{
	checkpatch --ignore ARRAY_SIZE,AVOID_EXTERNS,LEADING_SPACE,NEW_TYPEDEFS,PREFER_DEFINED_ATTRIBUTE_MACRO \
		--ignore ENOSYS,MACRO_WITH_FLOW_CONTROL,USE_NEGATIVE_ERRNO,VOLATILE,REPEATED_WORD,SPACING -f "${tests[@]}"
}

kernel_doc()
{
	"$kernel_build/scripts/kernel-doc" -none "${module[@]}"
}

kernel_tests_outside_compat()
{
	grep -nE 'LINUX_VERSION_CODE|KERNEL_VERSION\(|\bHAVE_[A-Z]' -r src include Kbuild Makefile
}

version_tests()
{
	grep -nE 'LINUX_VERSION_CODE|KERNEL_VERSION\(' -r compat
}

without_licence()
{
	local f
	for f in "${all[@]}"; do
		case $f in
		*.md | ./docs/performance.* | ./COPYING | ./.gitignore | ./dkms.conf | ./debian/* | ./tests/kernels | ./tests/mutation/faults | ./tests/selftests-6.12) ;;
		*) head -n 3 "$f" | grep -q 'SPDX-License-Identifier: GPL-2.0' || echo "$f" ;;
		esac
	done
}

# Includes of a layer that stands higher: docs/design.md lists the layers from the lowest to the highest. A file belongs
# to the layer with the longest path that its own begins with.
layers()
{
	sed -n '/^## Layers$/,/^## Where/p' docs/design.md | awk -F '|' '
		/^\| (`|the other)/ { n++; for (i = split($2, part, "`"); i > 1; i--) if (i % 2 == 0) print n, part[i] }'
}

includes_upwards()
{
	find src compat -name '*.[ch]' ! -path '*/probes/*' ! -name have.h -print0 | xargs -0 grep -HE '^#include "' |
		sed 's/:#include "\(.*\)".*/ \1/' | awk '
		NR == FNR { layer[$2] = $1; next }
		function rank(file, l, best) {
			for (l in layer)
				if (index(file, l) == 1 && length(l) > length(best))
					best = l
			return layer[best]
		}
		function exists(file, line, r) { r = (getline line <file) >= 0; close(file); return r }
		$2 != "compat/have.h" {
			dir = $1
			sub(/[^\/]*$/, "", dir)
			to = dir $2
			while (sub(/[^\/]+\/\.\.\//, "", to)) { }
			if (!exists(to))
				to = $2
			if (!rank($1) || !rank(to) || !exists(to))
				print $1 " includes " $2 ", which has no layer"
			else if (rank(to) > rank($1))
				print $1 " includes " to
		}' <(layers) -
}

# The format of debian/copyright is named by a URL, which nothing downloads.
archive_hosts()
{
	grep -nE '(https?|ftp)://[a-z0-9.-]*debian' "${all[@]}" | grep -v ':Format: [^ ]*/copyright-format/'
}

# Faults are sed scripts. Only `make check-mutants` builds the module with each of them.
faults_without_effect()
{
	local name files script file
	while IFS=$'\t' read -r name files script _; do
		for file in ${files//,/ }; do
			! sed -e "$script" "$file" | cmp -s - "$file" || echo "$name changes nothing in $file"
		done
	done < <(grep -v '^#' tests/mutation/faults)
}

silent "checkpatch has nothing to say of the module" checkpatch_module
silent "checkpatch has nothing to say of the tests" checkpatch_tests
silent "kernel-doc is complete" kernel_doc
# All scripts run under set -e, from common.sh, or run in plain busybox ash.
silent "shellcheck has nothing to say of the scripts" shellcheck -S warning -s bash \
	-e SC1090,SC1091,SC2034,SC2100,SC2154,SC2164 "${scripts[@]}"
silent "no kernel version or HAVE_ test outside compat/" kernel_tests_outside_compat
silent "no version test at all" version_tests
silent "no file includes one of a higher layer" includes_upwards
check "the layers are known" test "$(layers | wc -l)" -ge 8
silent "every file names its licence" without_licence
silent "no archive host is written down" archive_hosts
silent "each fault that is put into the module changes it" faults_without_effect
plan
