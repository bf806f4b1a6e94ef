#!/bin/sh
# format.sh - clang-format has nothing to change, and the written rules that it cannot know hold.
# SPDX-License-Identifier: MIT
set -eu
cd "$(dirname "$0")/../.."
bad=0
files=$(find core server tests -name '*.[ch]' | LC_ALL=C sort)
# shellcheck disable=SC2086 # words are meant to split
clang-format --dry-run -Werror --ferror-limit=1 $files 2>&1 | grep 'error:' && bad=1
for f in $files; do
	awk -v f="$f" '
	NR == 1 && $0 !~ /^\/\* [^ ]+ - / { print f ": first line must be \"name - what it is for\""; bad = 1 }
	/SPDX-License-Identifier: MIT/ { spdx++ }
	/TODO|FIXME|XXX/ && f !~ /tests\// { print f ":" NR ": TODO"; bad = 1 }
	{ gsub(/\t/, "        ") }
	length($0) > 110 && !off { print f ":" NR ": " length($0) " columns"; bad = 1 }
	/clang-format off/ { off = 1 }
	/clang-format on/ { off = 0 }
	END {
		if (spdx != 1) { print f ": needs one SPDX line"; bad = 1 }
		if (NR > 600) { print f ": " NR " lines ask for a split"; bad = 1 }
		exit bad
	}' "$f" || bad=1
done
exit $bad
