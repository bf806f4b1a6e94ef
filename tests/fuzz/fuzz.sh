#!/bin/sh
# fuzz.sh SECONDS [NAME] - each fuzz target, or one, for so long; what it found goes on from run to run.
#
# B: folder of the programs. Inputs found are kept in B/corpus/NAME; one that fails lands in B/found/NAME,
# is shown, and belongs into tests/fuzz/regression/NAME beside its repair.
# SPDX-License-Identifier: MIT
set -u
cd "$(dirname "$0")/../.." || exit 2
seconds=$1
only=${2:-}
bad=0
printf '%-10s %12s %10s %10s %8s  %s\n' target executions per_second covered inputs found
for program in "$B"/tests/fuzz/fuzz_*; do
	name=$(basename "$program" | sed 's/^fuzz_//')
	case $name in *.*) continue ;; esac
	[ -z "$only" ] || [ "$only" = "$name" ] || continue
	mkdir -p "$B/corpus/$name" "$B/found/$name"
	seeds=
	for folder in "tests/fuzz/corpus/$name" "tests/fuzz/regression/$name" "schema/presets-$name"; do
		folder=${folder%-spec} # presets are seeds of specs
		[ ! -d "$folder" ] || seeds="$seeds $folder"
	done
	# shellcheck disable=SC2086 # words are meant to split
	ASAN_OPTIONS=allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 \
		"$program" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=4096 -max_len=65536 \
		-print_final_stats=1 -artifact_prefix="$B/found/$name/" \
		"$B/corpus/$name" $seeds \
		>"$B/found/$name.log" 2>&1
	code=$?
	found=$(find "$B/found/$name" -type f | wc -l)
	stat() {
		sed -n "s/^stat::$1: *//p" "$B/found/$name.log" | tail -n 1
	}
	printf '%-10s %12s %10s %10s %8s  %s\n' "$name" "$(stat number_of_executed_units)" \
		"$(stat average_exec_per_sec)" \
		"$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$B/found/$name.log" | tail -n 1)" \
		"$(find "$B/corpus/$name" -type f | wc -l)" "$found"
	if [ "$code" -ne 0 ]; then
		bad=1
		grep -aE 'ERROR|SUMMARY|fuzz_|Test unit|#[0-9] ' "$B/found/$name.log" | head -n 20
	fi
done
exit $bad
