#!/bin/sh
# drift.sh [STDP-GEN] - the committed generated files are what the tables say now.
# SPDX-License-Identifier: MIT
set -eu
cd "$(dirname "$0")/../.."
gen=${1:-${BUILD:-build/gcc}/stdp-gen}
if [ ! -x "$gen" ]; then
	echo "skipped: no $gen"
	exit 77
fi
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
"$gen" "$fresh"
cd "$fresh"
find . -type f | LC_ALL=C sort | while read -r f; do
	cmp "$f" "$OLDPWD/schema/$f" || exit 1
done
