#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs cmocka test programs and counts their cases.
#
#   scripts/run-unit.sh OUTDIR PROGRAM...
#
# Prints the output of programs that fail, one line for the others. OUTDIR/counts gets "PASSED FAILED SKIPPED".
set -u

out=$1
shift
mkdir -p "$out" || exit 1
rm -f "$out/counts"
passed=0
failed=0
skipped=0

# total PATTERN FILE: the sum of the numbers in cmocka's closing lines of that kind.
total() {
	sed -n "s/.*\[  $1 *\] \([0-9][0-9]*\) test(s).*/\1/p" "$2" | awk '{ n += $1 } END { print n + 0 }'
}

for program in "$@"; do
	name=${program##*/}
	log=$out/$name.log
	CMOCKA_MESSAGE_OUTPUT=stdout UBSAN_OPTIONS=print_stacktrace=1 timeout 300 "$program" >"$log" 2>&1 </dev/null
	status=$?
	ok=$(total PASSED "$log")
	bad=$(total FAILED "$log")
	skip=$(total SKIPPED "$log")
	# A crash, a sanitizer's report or a program without any case is a failure of its own.
	if [ "$bad" -eq 0 ] && { [ "$status" -ne 0 ] || [ $((ok + skip)) -eq 0 ]; }; then
		bad=1
	fi
	passed=$((passed + ok))
	failed=$((failed + bad))
	skipped=$((skipped + skip))
	if [ "$bad" -ne 0 ]; then
		cat "$log"
		printf 'FAIL  %s: %s passed, %s failed (exit status %s)\n' "$name" "$ok" "$bad" "$status"
	else
		printf 'ok    %s: %s passed%s\n' "$name" "$ok" "$([ "$skip" -eq 0 ] || echo ", $skip skipped")"
		grep '^\[  SKIPPED \] [^0-9]' "$log" || true
	fi
done

echo "$passed $failed $skipped" >"$out/counts"
printf 'unit: %s passed, %s failed, %s skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ]
