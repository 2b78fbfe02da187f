#!/bin/sh
# SPDX-License-Identifier: MIT
# Packs the committed tree so that the same commit gives the same bytes.
#
#   scripts/dist.sh VERSION OUTDIR
set -eu

version=$1
out=$2
name=ferrule-$version

git rev-parse --verify -q HEAD >/dev/null || {
	echo "dist: this is not a git clone" >&2
	exit 1
}
git diff --quiet HEAD -- || {
	echo "dist: there are changes that are not committed; the archive holds what is committed" >&2
	exit 1
}
mkdir -p "$out"
# Order, owner and times come from the commit; gzip -n leaves name and time out.
git archive --format=tar --prefix="$name/" HEAD | gzip -9n >"$out/$name.tar.gz.new"
mv "$out/$name.tar.gz.new" "$out/$name.tar.gz"
(cd "$out" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
echo "$out/$name.tar.gz"
