#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs pytest on a folder and counts its tests.
#
#   scripts/run-pytest.sh OUTDIR FOLDER [PYTEST OPTION...]
#
# OUTDIR/counts gets "PASSED FAILED SKIPPED". A folder that does not exist has no tests.
set -u

out=$1
folder=$2
shift 2
mkdir -p "$out" || exit 1
rm -f "$out/counts" "$out/junit.xml"
if [ ! -d "$folder" ]; then
	echo "no $folder"
	echo "0 0 0" >"$out/counts"
	exit 0
fi

"${PYTHON:-/usr/bin/python3}" -m pytest -p no:cacheprovider -ra --junitxml="$out/junit.xml" "$folder" "$@"
status=$?

# attribute NAME: the number in the first <testsuite>.
attribute() {
	sed -n "s/.*<testsuite [^>]*$1=\"\([0-9]*\)\".*/\1/p" "$out/junit.xml" 2>/dev/null | head -n 1
}
tests=$(attribute tests)
skipped=$(attribute skipped)
errors=$(attribute errors)
failures=$(attribute failures)
failed=$((${errors:-0} + ${failures:-0}))
passed=$((${tests:-0} - failed - ${skipped:-0}))
# pytest may fail without a failed test: a broken conftest, no tests collected, an interruption.
if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
	failed=1
fi
echo "$passed $failed ${skipped:-0}" >"$out/counts"
[ "$failed" -eq 0 ]
