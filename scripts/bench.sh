#!/bin/sh
# SPDX-License-Identifier: MIT
# What `make bench` prints. Figures vary with the machine and what else it does: compare within one run.
#
#   scripts/bench.sh TOOLS_DIR     TOOLS_DIR has the benchmark programs (make gives it)
set -eu
cd "$(dirname "$0")/.."
tools=$1

echo "machine: $(uname -m), $(nproc) processors, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)"
echo
echo "size of the executables (bytes)"
for f in build/bin/*; do
	printf '  %-28s %8d\n' "$(basename "$f")" "$(stat -c %s "$f")"
done
echo
echo "one recorded reply of a PF with 126 VFs, parsed and rendered as /getpfs"
printf '  '
"$tools/bench_getpfs" test/data/vf126.bin
echo
"$tools/bench_place"
echo
if [ "$(id -u)" -eq 0 ]; then
	/usr/bin/python3 test/bench/serve.py "$tools/http_load"
else
	echo "rdma-ds serve: needs root for a network namespace of its own; skipped"
fi
echo
echo "rdma-scheduler-extender, full nodes of 10 KB; every answer is checked"
/usr/bin/python3 test/bench/extender.py "$tools/sim_nodes"
if [ "$(id -u)" -eq 0 ]; then
	echo
	/usr/bin/python3 test/bench/dp.py
else
	echo "rdma-dummy-dp: needs root for device nodes; skipped"
fi

echo
if [ -n "${FERRULE_BENCH_LAB:-}" ]; then
	echo "rdma-cni in the lab (emulated: the ratios count), mean of 10 rounds in turns"
	/usr/bin/python3 test/bench/cni.py 10
else
	echo "rdma-cni: set FERRULE_BENCH_LAB=1 to measure it in the lab, which takes some minutes; skipped"
fi
