#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The documents: their commands are known to the tests, what they name exists, and `make demo` works. The README's C is
# compiled into programs/test_readme.c.
. "$(dirname "$0")/../lib/prove.sh"
cd "$top"

mapfile -t documents < <(find . \( -path ./.git -o -path ./dist \) -prune -o -name '*.md' -print | sed 's,^\./,,' | sort)

# The command lines in the blocks of commands of the documents for users and newcomers.
document_commands()
{
	awk '/^ *```sh$/ { on = 1; next } /^ *```/ { on = 0 } on && NF && $1 !~ /^#/' \
		README.md CONTRIBUTING.md docs/install.md docs/kernels.md docs/private-memory.md | sort -u
}

# Commands that a test runs, and commands that need a machine of the reader's own.
known_commands()
{
	cat <<-'EOC'
	make demo
	make check
	make check KDIR=DIR
	make -C LINUX O=DIR KCONFIG_ALLCONFIG=$PWD/tests/debug-kernel/base.config allnoconfig
	make -C LINUX O=DIR -j$(nproc) bzImage modules
	make try PROGRAM=test_policy
	MUTANTS=interleave-by-task make check-mutants
	make deb
	make rpm
	make check-packages
	make
	insmod kvm-gmem-numa.ko
	modprobe kvm_gmem_numa
	rmmod kvm_gmem_numa
	grep . /sys/module/kvm_gmem_numa/features/*
	grep . /sys/module/kvm_gmem_numa/private_pages/*
	kvm-gmem-numa-check --private
	make install-source
	apt install ./dist/kvm-gmem-numa-dkms_*_all.deb
	apt purge kvm-gmem-numa-dkms
	dnf install ./dist/kvm-gmem-numa-dkms-*.noarch.rpm
	dnf remove kvm-gmem-numa-dkms
	EOC
	# Commands that name the current version.
	sed -n 's,^PACKAGE_VERSION="\(.*\)",dkms install kvm-gmem-numa/\1\ndkms remove kvm-gmem-numa/\1 --all\nrm -r /usr/src/kvm-gmem-numa-\1 /usr/lib/udev/rules.d/80-kvm-gmem-numa.rules,p' dkms.conf
}

unknown_commands()
{
	document_commands | grep -vxF -f <(known_commands)
}

# A heading's anchor: lower case, blanks as dashes, and without most punctuation.
anchors()
{
	awk '/^```/ { code = !code } !code && /^#+ / { sub(/^#+ /, ""); print tolower($0) }' "$1" |
		sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}

# Links in a document to files, and to headings in files, that do not exist.
dead_links()
{
	local document link file anchor
	for document in "${documents[@]}"; do
		while read -r link; do
			file=${link%%#*}
			file=${file:+$(dirname "$document")/$file}
			file=${file:-$document}
			anchor=${link#*#}
			if [ ! -e "$file" ]; then
				echo "$document: no file $link"
			elif [ "$anchor" != "$link" ] && ! anchors "$file" | grep -qxF "$anchor"; then
				echo "$document: no heading $link"
			fi
		done < <(grep -o '](\([^)]*\))' "$document" | sed 's/^](//; s/)$//' | grep -v '^[a-z]*:')
	done
}

# Paths of the tree that a document puts between backticks, and that do not exist.
dead_paths()
{
	local document path
	for document in "${documents[@]}"; do
		while read -r path; do
			compgen -G "$path" >/dev/null || echo "$document: no $path"
		done < <(grep -oE '`(src|compat|include|tests|tools|docs|debian|rpm|packaging)/[A-Za-z0-9_./*-]*`' "$document" |
			tr -d '`')
	done
}

# Files that the map of parts in docs/design.md leaves out.
unmapped_files()
{
	sed -n '/^## Parts and files$/,/^## Layers$/p' docs/design.md | grep -oE '`[A-Za-z0-9_./-]*`' | tr -d '`' >"$work/map"
	find src compat include tools debian rpm packaging -type f ! -name '*.o' | sort | while read -r file; do
		while read -r part; do
			case $file in
			"$part" | "${part%.c}.h") continue 2 ;;
			*) [[ $part != */ || $file != "$part"* ]] || continue 2 ;;
			esac
		done <"$work/map"
		echo "$file"
	done
}

# Mutants that a document names, and that tests/mutation/faults does not have.
dead_mutants()
{
	grep -h mutant "${documents[@]}" | grep -oE '`[a-z][a-z0-9]*(-[a-z0-9]+)+`' | tr -d '`' | sort -u |
		grep -vxF -e kvm-gmem-numa-check -f <(grep -v '^#' tests/mutation/faults | cut -f 1)
}

# Targets that make knows and `make help` does not list.
targets_without_help()
{
	sed -n '/^\.PHONY:/,$p' Makefile | tr -d '\\' | sed 's/^.PHONY://' | tr -s ' \t' '\n' | grep . |
		grep -vxF -e all -f <(make -s help | awk '/^  / { print $1 }')
}

silent "every command in the documents is one that the tests run" unknown_commands
check "there are commands in the documents" test "$(document_commands | wc -l)" -ge 15
silent "every link leads to a file and to a heading" dead_links
silent "every path that a document names exists" dead_paths
silent "every mutant that a document names exists" dead_mutants
silent "every file has its part in docs/design.md" unmapped_files
check "the README has 150 lines at most" test "$(wc -l <README.md)" -le 150
silent "make help lists every target" targets_without_help
check "the changelog begins with the version of dkms.conf" \
	test "$(sed -n 's/^## \([^ ]*\).*/\1/p' CHANGELOG.md | sed -n 1p)" = "$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)"
check "make demo works" tests/run demo
plan
