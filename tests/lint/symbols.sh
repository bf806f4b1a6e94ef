#!/bin/sh
# symbols.sh - external symbols carry their file's stem; a model file exports exactly one.
#
# net_wire.c may export net_wire_* and net_*; server/api_run.c api_run_* and api_*.
# SPDX-License-Identifier: MIT
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build/gcc}
bad=0
objects=$(find core server -name '*.c' | LC_ALL=C sort)
for src in $objects; do
	object=$BUILD/${src%.c}.o
	if [ ! -f "$object" ]; then
		echo "$src: not built"
		bad=1
		continue
	fi
	nm -g --defined-only "$object" | awk -v src="$src" '
	$2 ~ /^[TDBRCVWi]$/ { name[n++] = $3 }
	function stem(path) { sub(/.*\//, "", path); sub(/[.]c$/, "", path); return path }
	function fault(text) { print src ": " text; bad = 1 }
	END {
		s = stem(src)
		model = src ~ /^core\/(neuron|plasticity|wiring|experiment)\//
		split(src, part, "/")
		if (model) {
			want = part[2] "_" s
			if (n != 1 || name[0] != want)
				fault("must export " want " and nothing else, exports " n ": " name[0] " " name[1])
			exit bad
		}
		for (i = 0; i < n; i++) {
			sym = name[i]
			sub(/[.](default|avx2|avx512f|resolver|ifunc|cold|constprop.*|part.*)[.0-9]*$/, "", sym)
			if (sym == "main" && s ~ /^main/)
				continue
			# lists of descriptors have the plural; units live with the parameters
			ok = sym == s "s" || (s == "param" && index(sym, "unit_") == 1)
			for (p = s; p != ""; ) {
				if (sym == p || index(sym, p "_") == 1)
					ok = 1
				if (p !~ /_/)
					break
				sub(/_[^_]*$/, "", p)
			}
			if (!ok)
				fault("exports " sym ", expected " s "_* or a shorter stem")
		}
		exit bad
	}' || bad=1
done
exit $bad
