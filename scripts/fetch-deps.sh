#!/bin/sh
# SPDX-License-Identifier: MIT
# Gets one pinned dependency and unpacks it.
#
#   scripts/fetch-deps.sh NAME ARCH OUTDIR
#
# OUTDIR is replaced by the unpacked content of the first alternative for NAME in scripts/deps.lock that can
# be had; the file itself is kept beside it. Places, in this order: DEPS_DIR (when set, the only place: nothing
# is asked of the network), the cache (FERRULE_CACHE, or ~/.cache/ferrule if that folder exists),
# build/download, the package mirror this machine's apt uses. A file with a wrong checksum always stops the
# run, wherever it was found.
set -eu

lock=${DEPS_LOCK:-$(dirname "$0")/deps.lock}
download_dir=${FERRULE_DOWNLOAD:-build/download}

die() {
	printf 'fetch-deps: %s\n' "$*" >&2
	exit 1
}

[ $# -eq 3 ] || die "usage: $0 NAME ARCH OUTDIR"
name=$1
arch=$2
outdir=$3

cache=$("$(dirname "$0")/cache-dir.sh")

looked=
file=
sha=
pool=
found=

# verify PATH: stops unless PATH has the pinned checksum of the current alternative.
verify() {
	got=$(sha256sum "$1" | cut -d' ' -f1)
	if [ "$got" != "$sha" ]; then
		die "$1 is not the pinned file: its sha256 is $got, scripts/deps.lock wants $sha;" \
			"remove or replace it"
	fi
}

# look_in DIR: sets found if DIR has the current alternative.
look_in() {
	looked="$looked
  $1/$file"
	if [ -e "$1/$file" ]; then
		verify "$1/$file"
		found=$1/$file
	fi
}

# download: sets found if an archive serves the current alternative.
download() {
	[ "$pool" != - ] || return 0
	to=${cache:-$download_dir}
	mkdir -p "$to" || die "cannot make $to"
	for base in $archives; do
		for component in main universe; do
			url=${base%/}/pool/$component/$pool/$file
			looked="$looked
  the package mirror: pool/$component/$pool/$file"
			rm -f "$to/$file.part.$$"
			if /usr/lib/apt/apt-helper download-file "$url" "$to/$file.part.$$" \
				>"$download_dir/log.$$" 2>&1; then
				rm -f "$download_dir/log.$$"
				mv "$to/$file.part.$$" "$to/$file"
				got=$(sha256sum "$to/$file" | cut -d' ' -f1)
				if [ "$got" != "$sha" ]; then
					rm -f "$to/$file"
					die "pool/$component/$pool/$file from the package mirror is not the pinned" \
						"file: its sha256 is $got, scripts/deps.lock wants $sha"
				fi
				found=$to/$file
				return 0
			fi
			rm -f "$to/$file.part.$$" "$download_dir/log.$$"
		done
	done
}

# alternatives: the lock's lines for this dependency and architecture.
alternatives() {
	awk -v name="$name" -v arch="$arch" \
		'$1 == name && ($3 == "all" || $3 == arch) { print $4, $5, $6 }' "$lock"
}

list=$(alternatives)
[ -n "$list" ] || die "scripts/deps.lock has no line for $name on $arch"
mkdir -p "$download_dir"

while read -r sha file pool; do
	if [ -n "${DEPS_DIR:-}" ]; then
		look_in "${DEPS_DIR%/}"
	else
		[ -z "$cache" ] || look_in "${cache%/}"
		[ -n "$found" ] || look_in "$download_dir"
	fi
	[ -z "$found" ] || break
done <<LIST
$list
LIST

if [ -z "$found" ] && [ -z "${DEPS_DIR:-}" ]; then
	archives=$("$(dirname "$0")/apt-isolated.sh" mirror 2>/dev/null) || archives=
	[ -n "$archives" ] || looked="$looked
  no package mirror: this machine's apt has no source of its distribution"
	while read -r sha file pool; do
		download
		[ -z "$found" ] || break
	done <<LIST
$list
LIST
fi

if [ -z "$found" ]; then
	files=$(printf '%s\n' "$list" | awk '{ printf "%s%s", sep, $2; sep = " or " }')
	die "$name: cannot find $files; looked for:$looked
Put the file in a folder and name it with DEPS_DIR=, or give this machine's apt a mirror that has it."
fi

rm -rf "$outdir.new"
mkdir -p "$outdir.new"
case $found in
*.deb) dpkg-deb -x "$found" "$outdir.new" || die "cannot unpack $found" ;;
*) tar -xf "$found" -C "$outdir.new" --strip-components=1 --no-same-owner || die "cannot unpack $found" ;;
esac
rm -rf "$outdir"
mv "$outdir.new" "$outdir"
cp "$found" "$(dirname "$outdir")/"
