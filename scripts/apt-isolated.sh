#!/bin/sh
# SPDX-License-Identifier: MIT
# Packages from any suite on the mirror this machine's apt already uses, without touching its sources.
#
#   scripts/apt-isolated.sh mirror                            base addresses of the distribution's archive
#   scripts/apt-isolated.sh update SUITE...                   fetch the package lists of these suites
#   scripts/apt-isolated.sh versions SUITE PKG                versions to be had, newest first
#   scripts/apt-isolated.sh cache SUITE ARGUMENT...           apt-cache with that suite's lists (show, depends, ...)
#   scripts/apt-isolated.sh fetch OUTDIR SUITE PKG[=VERSION]...
#                                                             download packages, print one path a line
#   scripts/apt-isolated.sh install SUITE PKG[=VERSION]...    install packages into the system (root)
#
# Every suite has its own lists, cache and sources under build/apt/SUITE (APT_ISOLATED_DIR changes build/apt).
# A suite brings its -updates and -security suites with it where the mirror has them, and X-backports brings
# X. Lists are checked against the distribution's keys and packages against the lists, by apt. `fetch` keeps
# packages in the cache folder (FERRULE_CACHE, or ~/.cache/ferrule if that folder exists) and takes them from
# there when their checksum is the one in the lists. Lists that are there already are used as they are:
# `update` renews them.
set -eu

root=${APT_ISOLATED_DIR:-$(cd "$(dirname "$0")/.." && pwd)/build/apt}
case $root in
/*) ;;
*) root=$PWD/$root ;;
esac

die() {
	printf 'apt-isolated: %s\n' "$*" >&2
	exit 1
}

say() {
	printf 'apt-isolated: %s\n' "$*" >&2
}

command -v apt-get >/dev/null 2>&1 || die "no apt-get: this needs Debian 12, Debian 13 or Ubuntu 24.04"
helper=/usr/lib/apt/apt-helper
[ -x "$helper" ] || die "$helper is missing"
distribution=$(sed -n 's/^ID=//p' /etc/os-release | tr -d '"')
codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release | tr -d '"')

# sources_of RELEASE: base addresses of the machine's own sources of that release, the distribution's first:
# other repositories may use the same release name.
sources_of() {
	# shellcheck disable=SC2016 # apt expands these, not the shell
	apt-get indextargets --format '$(REPO_URI)|$(RELEASE)|$(CODENAME)|$(COMPONENT)' \
		'Created-By: Packages' 2>/dev/null |
		awk -F'|' -v want="$1" '
			($2 == want || $3 == want) && $4 == "main" && !seen[$1]++ {
				if ($1 ~ /\/(debian|ubuntu|debian-security|ubuntu-ports)\/$/) {
					print $1
				} else {
					rest = rest $1 "\n"
				}
			}
			END { printf "%s", rest }'
}

mirror() {
	sources_of "$codename"
}

# configure DIR: an apt configuration of its own. Of the machine's only what says how to reach a mirror is
# kept: no hooks, no pins, no sources.
configure() {
	mkdir -p "$1/lists/partial" "$1/cache/archives/partial"
	{
		printf 'Dir::Etc::Main "/dev/null";\nDir::Etc::Parts "/dev/null";\n'
		printf 'Dir::Etc::SourceList "%s/sources.list";\nDir::Etc::SourceParts "/dev/null";\n' "$1"
		printf 'Dir::Etc::Preferences "/dev/null";\nDir::Etc::PreferencesParts "/dev/null";\n'
		printf 'Dir::State::Lists "%s/lists";\nDir::Cache "%s/cache";\n' "$1" "$1"
		printf 'Acquire::Languages "none";\n'
		# Backports are never chosen unless asked for.
		case $1 in
		*-backports) printf 'APT::Default-Release "%s";\n' "${1##*/}" ;;
		esac
		# The folder may be out of reach for the user apt would switch to.
		printf 'APT::Sandbox::User "root";\n'
		apt-config dump |
			grep -E '^Acquire::(https?|Retries|ForceIPv[46])(::[A-Za-z0-9.:-]*[A-Za-z0-9-])? "..*";$' || true
	} >"$1/apt.conf"
}

# probe DIR BASE SUITE: whether the mirror has the suite.
probe() {
	APT_CONFIG=$1/apt.conf "$helper" download-file "${2%/}/dists/$3/InRelease" "$1/probe" >"$1/probe.log" 2>&1
}

# add_source DIR SUITE BASE...: one more line in the sources, from the first base that has the suite.
add_source() {
	dir=$1
	add_suite=$2
	shift 2
	keyring=/usr/share/keyrings/$distribution-archive-keyring.gpg
	options=
	[ ! -e "$keyring" ] || options="[signed-by=$keyring] "
	components=main
	[ "$distribution" != ubuntu ] || components='main universe'
	for base in "$@"; do
		if probe "$dir" "$base" "$add_suite"; then
			printf 'deb %s%s %s %s\n' "$options" "$base" "$add_suite" "$components" >>"$dir/sources.list"
			return 0
		fi
	done
	return 1
}

# set_up SUITE: sets dir, and APT_CONFIG for all that follows.
set_up() {
	suite=$1
	unset APT_CONFIG
	case $suite in
	'' | -* | *[!a-z0-9-]*) die "not a suite name: '$suite'" ;;
	esac
	dir=$root/$suite
	mkdir -p "$dir"
	configure "$dir"
	APT_CONFIG=$dir/apt.conf
	export APT_CONFIG
	# What was found on the mirror before is kept until `update`.
	[ ! -s "$dir/complete" ] || return 0
	renew "$suite"
}

renew() {
	suite=$1
	dir=$root/$suite
	rm -f "$dir/complete" "$dir/sources.list"
	unset APT_CONFIG
	configure "$dir"
	bases=$(mirror)
	[ -n "$bases" ] || die "this machine's apt has no source for $codename, so no mirror is known"
	first=$(printf '%s\n' "$bases" | head -n 1)
	# Some set-ups have no security source: it is on the archive itself, or beside it.
	security="$(sources_of "$codename-security") $first ${first%/}-security/"
	release=${suite%-backports}
	# shellcheck disable=SC2086 # lists of addresses
	if ! add_source "$dir" "$suite" $bases; then
		die "suite $suite is not on this machine's package mirror ($distribution $codename):" \
			"$(tail -n 1 "$dir/probe.log")"
	fi
	if [ "$release" != "$suite" ]; then
		# shellcheck disable=SC2086
		add_source "$dir" "$release" $bases || die "suite $release is not on this machine's package mirror"
	fi
	case $release in
	*-*) ;;
	*)
		# shellcheck disable=SC2086
		add_source "$dir" "$release-updates" $bases || say "no $release-updates on the mirror"
		# shellcheck disable=SC2086
		add_source "$dir" "$release-security" $security || say "no $release-security on the mirror"
		;;
	esac
	rm -f "$dir/probe"
	APT_CONFIG=$dir/apt.conf
	export APT_CONFIG
	apt-get -qq -o APT::Update::Error-Mode=any update >"$dir/update.log" 2>&1 || {
		cat "$dir/update.log" >&2
		die "cannot fetch the package lists of $suite"
	}
	echo "$suite" >"$dir/complete"
}

# locate PKG[=VERSION]: sets url, hash and file from the lists.
locate() {
	line=$(apt-get download --print-uris "$1" 2>"$dir/fetch.log" | tail -n 1)
	[ -n "$line" ] || die "$1 is not in $suite: $(tr '\n' ' ' <"$dir/fetch.log")"
	url=$(printf '%s\n' "$line" | sed "s/^'\([^']*\)'.*/\1/")
	hash=${line##* }
	file=$(basename "$url" | sed 's/%3[aA]/:/g; s/%2[bB]/+/g; s/%7[eE]/~/g')
	case $hash in
	SHA256:*) sum=sha256sum ;;
	SHA512:*) sum=sha512sum ;;
	*) die "the lists of $suite give no SHA-256 for $1" ;;
	esac
}

# fetch_one OUTDIR PKG[=VERSION]
fetch_one() {
	locate "$2"
	for have in "$1/$file" ${cache:+"$cache/$file"}; do
		if [ -e "$have" ] && [ "$("$sum" "$have" | cut -d' ' -f1)" = "${hash#*:}" ]; then
			[ "$have" = "$1/$file" ] || cp "$have" "$1/$file"
			printf '%s\n' "$1/$file"
			return 0
		fi
	done
	part=$1/part.$$
	if ! "$helper" download-file "$url" "$part" "$hash" >"$dir/fetch.log" 2>&1; then
		# The mirror drops a version when the next one comes: the lists may be old.
		renew "$suite"
		locate "$2"
		"$helper" download-file "$url" "$part" "$hash" >"$dir/fetch.log" 2>&1 || {
			cat "$dir/fetch.log" >&2
			die "cannot download $file"
		}
	fi
	if [ -n "$cache" ]; then
		cp "$part" "$cache/$file.part.$$" && mv "$cache/$file.part.$$" "$cache/$file"
	fi
	mv "$part" "$1/$file"
	printf '%s\n' "$1/$file"
}

need() {
	[ "$1" -ge "$2" ] || die "usage: $(sed -n 's/^#   scripts/scripts/p' "$0" | grep "^scripts/apt-isolated.sh $command ")"
}

command=${1:-}
[ $# -eq 0 ] || shift
cache=$("$(dirname "$0")/cache-dir.sh")

case $command in
mirror)
	mirror
	;;
update)
	need $# 1
	for suite in "$@"; do
		rm -f "$root/$suite/complete"
		set_up "$suite"
	done
	;;
versions)
	need $# 2
	set_up "$1"
	list=$(apt-cache madison "$2" | awk '{ print $3 }')
	[ -n "$list" ] || die "$2 is not in $1"
	printf '%s\n' "$list" | awk '!seen[$0]++'
	;;
cache)
	need $# 2
	set_up "$1"
	shift
	apt-cache "$@"
	;;
fetch)
	need $# 3
	outdir=$1
	set_up "$2"
	shift 2
	mkdir -p "$outdir"
	for package in "$@"; do
		fetch_one "$outdir" "$package"
	done
	;;
install)
	need $# 2
	[ "$(id -u)" -eq 0 ] || die "install needs root"
	set_up "$1"
	shift
	DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$@"
	;;
*)
	sed -n 's/^#   //p' "$0" >&2
	exit 1
	;;
esac
