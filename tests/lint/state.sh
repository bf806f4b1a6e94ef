#!/bin/sh
# state.sh - every field of what a simulation keeps is saved by the checkpoint's walk, or said there to be no
# state. A field counts as known when the walk touches it (x->field, x.field, offsetof) or its comment
# "No state" names it.
# SPDX-License-Identifier: MIT
set -eu
cd "$(dirname "$0")/../.."
bad=0

# fields HEADER STRUCT: names of its fields, one a line.
fields() {
	awk -v name="$2" '
	{
		while (match($0, /\/\*.*\*\//)) # greedy, but no code stands between two comments
			$0 = substr($0, 1, RSTART - 1) substr($0, RSTART + RLENGTH)
		if (inside && sub(/^.*\*\//, ""))
			inside = 0
		if (inside)
			next
		if (sub(/\/\*.*$/, ""))
			inside = 1
	}
	$0 ~ "^struct " name " [{]" { body = 1; next }
	body && /^}/ { exit }
	body { text = text " " $0 }
	END {
		n = split(text, decl, ";")
		for (i = 1; i < n; i++) {
			if (match(decl[i], /\(\*[a-z_0-9]+\)/)) { # a function
				print substr(decl[i], RSTART + 2, RLENGTH - 3)
				continue
			}
			gsub(/\[[^]]*\]/, "", decl[i])
			m = split(decl[i], part, ",")
			for (k = 1; k <= m; k++) {
				sub(/[ \t]+$/, "", part[k])
				sub(/^.*[^a-z_0-9A-Z]/, "", part[k])
				print part[k]
			}
		}
	}' "$1"
}

# check WALK HEADER STRUCTS...
check() {
	walk=$1 header=$2
	shift 2
	for struct in "$@"; do
		names=$(fields "$header" "$struct")
		[ -n "$names" ] || { echo "$header: no struct $struct"; bad=1; }
		for field in $names; do
			grep -qE "(->|\.)${field}([^a-z_0-9A-Z]|\$)|struct [a-z_]+, ${field}[^a-z_0-9A-Z]" "$walk" ||
				sed -n '/No state/,/\*\//p' "$walk" | grep -qw -- "$field" ||
				{ echo "$header: $walk does not know struct $struct.$field"; bad=1; }
		done
	done
}

check core/sim_ckpt.c core/sim_state.h sim sim_part
check core/sim_ckpt.c core/net.h net net_population net_ring net_rows net_history net_past net_signals \
	net_log net_rates net_projection
check core/rec_ckpt.c core/rec_part.h rec rec_part
exit $bad
