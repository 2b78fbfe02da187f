#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs fuzz targets named fuzz_PARSER, whose corpus is test/corpus/PARSER.
#
#   scripts/run-fuzz.sh replay OUTDIR PROGRAM...   every corpus file, each twice; counts files
#   scripts/run-fuzz.sh fuzz   OUTDIR PROGRAM...   libFuzzer for FUZZ_SECONDS each; counts programs;
#                                                  FUZZ_SEED other than 0: the same inputs each time
#
# Findings go to OUTDIR, and OUTDIR/counts gets "PASSED FAILED 0".
set -u

mode=$1
out=$2
shift 2
seconds=${FUZZ_SECONDS:-10}
number=${FUZZ_SEED:-0}
mkdir -p "$out" || exit 1
rm -f "$out/counts"
passed=0
failed=0

replay() {
	find "$corpus" -type f 2>/dev/null | LC_ALL=C sort >"$out/$parser.files"
	files=$(wc -l <"$out/$parser.files")
	if [ "$files" -eq 0 ]; then
		printf 'FAIL  %s: %s has no files\n' "$parser" "$corpus"
		failed=$((failed + 1))
	elif xargs -d '\n' timeout 300 "$program" <"$out/$parser.files" >"$out/$parser.log" 2>&1; then
		printf 'ok    %s: %s corpus files\n' "$parser" "$files"
		passed=$((passed + files))
	else
		cat "$out/$parser.log"
		printf 'FAIL  %s: a corpus file (the last one named above)\n' "$parser"
		failed=$((failed + 1))
	fi
}

fuzz() {
	found=$out/$parser.found
	grown=$out/$parser.corpus
	mkdir -p "$found" "$grown"
	seed=$corpus
	[ -d "$seed" ] || seed=
	# shellcheck disable=SC2086 # an absent corpus is no argument
	if timeout $((seconds + 120)) "$program" -max_total_time="$seconds" -seed="$number" -reload=0 -timeout=10 -rss_limit_mb=1024 \
		-max_len=65536 -print_final_stats=1 -artifact_prefix="$found/" "$grown" $seed \
		>"$out/$parser.log" 2>&1; then
		printf 'ok    %s: %s runs\n' "$parser" \
			"$(sed -n 's/^stat::number_of_executed_units: *//p' "$out/$parser.log")"
		passed=$((passed + 1))
	else
		tail -n 60 "$out/$parser.log"
		printf 'FAIL  %s: the input is in %s\n' "$parser" "$found"
		failed=$((failed + 1))
	fi
}

for program in "$@"; do
	parser=${program##*/fuzz_}
	corpus=test/corpus/$parser
	"$mode"
done

echo "$passed $failed 0" >"$out/counts"
printf '%s: %s passed, %s failed\n' "$mode" "$passed" "$failed"
[ "$failed" -eq 0 ]
