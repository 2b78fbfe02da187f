#!/bin/sh
# SPDX-License-Identifier: MIT
# `make test`: runs every kind of test, also after one has failed, and sums up.
set -u

make=${MAKE:-make}
out=build/test
passed=0
failed=0
skipped=0
counted=0
broken=

# step TARGET [ARGUMENT...]: a make target. Targets that count their tests leave build/test/TARGET/counts; any
# other is one test.
step() {
	counts=$out/${1#test-}/counts
	rm -f "$counts"
	printf '\n== make %s\n' "$*"
	if "$make" --no-print-directory "$@"; then
		ok=1
		bad=0
	else
		ok=0
		bad=1
		broken="$broken $1"
	fi
	skip=0
	if [ -f "$counts" ]; then
		passing=$bad
		read -r ok bad skip <"$counts"
		counted=$((counted + ok + bad))
		# Failing without a failed test is still a failure.
		[ "$bad" -ne 0 ] || bad=$passing
	fi
	passed=$((passed + ok))
	failed=$((failed + bad))
	skipped=$((skipped + skip))
}

step all
step lint -k
step unit
step fuzz-replay
# From one seed: what a run finds, the next one finds, too. `make fuzz` looks further.
step fuzz FUZZ_SECONDS="${FUZZ_SECONDS:-5}" FUZZ_SEED="${FUZZ_SEED:-1}"
step check-elf
step test-integration
step test-lab

printf '\n'
if [ "$counted" -eq 0 ]; then
	echo 'no test ran'
	failed=$((failed + 1))
fi
[ -z "$broken" ] || printf 'failed:%s\n' "$broken"
printf '%s passed, %s failed, %s skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ]
