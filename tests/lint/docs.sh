#!/bin/sh
# docs.sh - a README that names a file of the tree names one that is there.
# SPDX-License-Identifier: MIT
set -eu
cd "$(dirname "$0")/../.."
bad=0
for doc in README.md */README.md; do
	[ -f "$doc" ] || continue
	here=$(dirname "$doc")
	# Links, and names in backquotes that look like a path of ours.
	{
		grep -o '](\([^)#:]*\))' "$doc" | sed 's/](//; s/)//'
		grep -o '`\(core\|server\|schema\|web\|docker\|tests\)/[A-Za-z0-9_./-]*`' "$doc" | tr -d '`'
	} | LC_ALL=C sort -u | while read -r name; do
		case $name in http* | *NAME* | *NNN* | *..*) continue ;; esac
		[ -z "$name" ] || [ -e "$name" ] || [ -e "$here/$name" ] || echo "$doc: no $name"
	done
done >"${TMPDIR:-/tmp}/docs.$$"
[ ! -s "${TMPDIR:-/tmp}/docs.$$" ] || bad=1
cat "${TMPDIR:-/tmp}/docs.$$"
rm -f "${TMPDIR:-/tmp}/docs.$$"
exit $bad
