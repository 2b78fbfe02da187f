#!/bin/sh
# SPDX-License-Identifier: MIT
# Prints the folder outside the clone in which downloaded files are kept: FERRULE_CACHE, made if need be, or
# ~/.cache/ferrule if it exists. Prints nothing if there is none.
set -eu
if [ -n "${FERRULE_CACHE:-}" ]; then
	mkdir -p "$FERRULE_CACHE" || {
		echo "cannot make the cache folder $FERRULE_CACHE (FERRULE_CACHE)" >&2
		exit 1
	}
	echo "$FERRULE_CACHE"
elif [ -d "${HOME:-/nonexistent}/.cache/ferrule" ]; then
	echo "$HOME/.cache/ferrule"
fi
