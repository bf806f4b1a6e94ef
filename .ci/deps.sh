#!/bin/sh
# deps.sh run|test - install the Debian packages that are missing, and the page's npm packages.
# Safe to repeat; does nothing, and needs no network, when all is there.
# SPDX-License-Identifier: MIT
set -eu
level=${1:-test}
cd "$(dirname "$0")/.."

packages='pkg-config libmicrohttpd-dev libjansson-dev libsqlite3-dev libcurl4-openssl-dev zlib1g-dev
	libssl-dev'
# command=package: an installed command of another origin will do.
commands='gcc=gcc make=make curl=curl node=nodejs npm=npm'
if [ "$level" = test ]; then
	packages="$packages libcriterion-dev libclang-rt-14-dev fonts-dejavu-core"
	commands="$commands clang=clang clang-tidy=clang-tidy clang-format=clang-format
		cppcheck=cppcheck chromium=chromium wrk=wrk shellcheck=shellcheck git=git"
fi

missing=
for p in $packages; do
	dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed ||
		missing="$missing $p"
done
for c in $commands; do
	command -v "${c%%=*}" >/dev/null 2>&1 || missing="$missing ${c#*=}"
done

if [ -n "$missing" ]; then
	echo "installing:$missing"
	root=
	[ "$(id -u)" = 0 ] || root=sudo
	apt="$root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=500 -o Acquire::Retries=3 -q"
	# shellcheck disable=SC2086 # words are meant to split
	$apt update </dev/null
	# shellcheck disable=SC2086
	$apt install -y --no-install-recommends $missing </dev/null
fi

# npm keeps a copy of the lockfile; older than ours means that something changed.
if [ -f web/package-lock.json ] &&
	[ -z "$(find web/node_modules/.package-lock.json -newer web/package-lock.json 2>/dev/null)" ]; then
	(cd web && npm ci --ignore-scripts --no-audit --no-fund </dev/null)
	touch web/node_modules/.package-lock.json
fi
