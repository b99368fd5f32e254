# SPDX-License-Identifier: GPL-2.0-only
# Instructions per page of kvm-gmem-numa and of memfds, relative to native. The caller sets data and out.
set terminal pngcairo noenhanced size 1000,560 font "sans,11"
set output out
set title "Instructions per 4 KiB page with MPOL_BIND, native guest_memfd of 7.3 being 1; less is faster"
set style data histogram
set style histogram cluster gap 1
set style fill solid 0.9 noborder
set boxwidth 0.9
set grid y lt 1 lc rgb "#dddddd"
set yrange [0:*]
set xtics rotate by -20 scale 0
set key outside bottom center horizontal
plot data using 2:xtic(1) title "kvm-gmem-numa" lc rgb "#1f77b4", \
     data using 3 title "kvm-gmem-numa, huge=always" lc rgb "#0b3c6d", \
     data using 4 title "native" lc rgb "#999999", \
     data using 5 title "memfd" lc rgb "#e0a030", \
     data using 6 title "memfd, hugetlb" lc rgb "#a05a10"
