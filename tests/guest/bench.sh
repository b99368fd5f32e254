# SPDX-License-Identifier: GPL-2.0-only
# Figures for `make bench`, for the sections that the kernel's command line names: those of
# programs/bench.c, each with its argument after a colon, "profile", "load", which loads the module, and
# "sw_protected", without which the section "private" has no VM to measure.

# profile OPERATION: print in which functions the operation spends its instructions.
profile()
{
	rm -f /tmp/perf.*
	mkfifo /tmp/perf.ctl /tmp/perf.ack
	perf record -q -e cpu-clock -c 10000 -D -1 --control fifo:/tmp/perf.ctl,/tmp/perf.ack \
		-o /tmp/perf.data ./bench profile $1 || return
	perf report -i /tmp/perf.data --stdio --percent-limit 0.4 -F overhead,symbol -s symbol \
		2>/dev/null | sed -n "s/^ *\([0-9.]*\)% *\[k\] \([^ ]*\).*/profile $1 \1 \2/p"
}

for section in $(parameter sections | tr , " "); do
	argument=${section#*:}
	section=${section%:*}
	case $section in
	load) load ;;
	sw_protected) sw_protected ;;
	profile) profile $argument ;;
	module)
		unload
		./bench module ./kvm-gmem-numa.ko && load
		;;
	bystander)
		# Redirects that bound slots needed stay attached for a second.
		sleep 2
		if loaded; then ./bench bystander idle; else ./bench bystander no-module; fi
		;;
	"$argument") ./bench $section ;;
	*) ./bench $section $argument ;;
	esac
	ok "$section" test $? -eq 0
done
