#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the lab's tests: those of one node in two parts beside each other, a node each, then the rest
# (test/lab/conftest.py says which is which).
#
#   scripts/run-lab.sh OUTDIR
#
# OUTDIR/counts gets "PASSED FAILED SKIPPED".
set -u

out=$1
mkdir -p "$out" || exit 1
rm -f "$out/counts"

scripts/lab down >"$out/down.log" 2>&1
trap 'scripts/lab down >>"$out/down.log" 2>&1' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
if ! scripts/lab up --nodes 2 --pfs 2; then
	echo '0 1 0' >"$out/counts"
	exit 1
fi

# part SHARE
part() {
	scripts/run-pytest.sh "$out/$1" test/lab --share "$1"
}
part 2 >"$out/share-2.log" 2>&1 &
second=$!
part 1
wait "$second"
cat "$out/share-2.log"
part both

cat "$out/1/counts" "$out/2/counts" "$out/both/counts" |
	awk '{ p += $1; f += $2; s += $3 } END { if (NR != 3) f++; print p + 0, f + 0, s + 0 }' >"$out/counts"
read -r _ failed _ <"$out/counts"
[ "$failed" -eq 0 ]
