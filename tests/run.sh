#!/bin/sh
# run.sh all|quick|lint|sanitize VARIANT - run the tests and print "N passed, N failed[, N skipped]" last.
#
# all: every program of every kind, shell and page tests, lints, then the address sanitizer's build
# and the thread sanitizer's. quick: without lints and sanitizers. A program that does not build, does
# not end in time or leaves a sanitizer report counts as a failure.
# SPDX-License-Identifier: MIT
set -u
mode=${1:-all}
variant=${2:-gcc}
MAKE=${MAKE:-make}
cd "$(dirname "$0")/.." || exit 2
jobs=$(nproc 2>/dev/null || echo 2)
export TEST_TIMEOUT="${TEST_TIMEOUT:-300}" # seconds for one program
budget=${TEST_BUDGET:-1500} # seconds; parts that could take longer are skipped
start=$(date +%s)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0 skipped=0 failures=

age() {
	echo $(($(date +%s) - start))
}

# count NAME PASSED FAILED SKIPPED: book the result of one program; on failure show its output.
count() {
	passed=$((passed + $2)) failed=$((failed + $3)) skipped=$((skipped + $4))
	if [ "$3" -gt 0 ]; then
		printf 'FAIL %s: %d passed, %d failed\n' "$1" "$2" "$3"
		failures="$failures
  $1"
		grep -av '^\[RUN \]\|^\[PASS\]' "$out/log" | tail -n 60 | sed 's/^/     | /'
	else
		printf 'ok   %s: %d%s (at %d s)\n' "$1" "$2" "$([ "$4" -gt 0 ] && echo ", $4 skipped")" "$(age)"
	fi
}

# What Criterion says in its last line; no such line means that the program died.
criterion() {
	line=$(grep -a 'Synthesis: Tested:' "$out/log" | tail -n 1)
	# shellcheck disable=SC2046 # words are meant to split
	set -- "$1" "$2" $(echo "$line" | tr -cd '0-9 \n')
	if [ $# -ne 6 ]; then
		echo "no result, exit code $2" >>"$out/log"
		count "$1" 0 1 0
		return
	fi
	skips=$(grep -ac '^\[SKIP\]' "$out/log") # not among the tested ones
	bad=$(($5 + $6))
	[ "$2" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
	grep -a '^\[SKIP\]' "$out/log"
	count "$1" "$4" "$bad" "$skips"
}

# book LABEL PROGRAM FOLDER: what program.sh left; sanitizers' reports are failures.
book() {
	mv "$3/log" "$out/log"
	code=$(cat "$3/code")
	reports=$(find "$3/san" -type f | wc -l)
	[ "$reports" -eq 0 ] || cat "$3"/san/* >>"$out/log"
	rm -rf "$3"
	case $2 in
	*/test_*) criterion "$1" "$code" ;;
	*) count "$1" $((code == 0)) $((code != 0)) 0 ;;
	esac
	[ "$reports" -eq 0 ] || count "$1 (sanitizer reports)" 0 1 0
}

# run_program LABEL PROGRAM [ARGS]
run_program() {
	name=$1
	shift
	sh tests/program.sh "$variant" "$out/program" "$@"
	book "$name" "$1" "$out/program"
}

# build VARIANT-ARGS... -- TARGETS...: all that can be built; a failure is shown and counted below.
build() {
	if ! $MAKE -k -j"$jobs" "$@" >"$out/log" 2>&1; then
		grep -aE 'error|warning|\*\*\*|undefined' "$out/log" >"$out/errors"
		mv "$out/errors" "$out/log"
		count "build $*" 0 1 0
	fi
}

# programs LABEL BUILD KINDS...: the test programs of these kinds, several at once; what they drive is of
# the present variant.
programs() {
	label=$1 from=$2
	shift 2
	for program in $(sources "$@"); do
		[ ! -x "$program" ] || printf '%s %s\n' "$out/$program" "$program"
	done | xargs -r -L 1 -P "$jobs" sh tests/program.sh "$variant"
	for program in $(sources "$@"); do
		name=$label${program#build/"$from"/}
		if [ -x "$program" ]; then
			book "$name" "$program" "$out/$program"
		else
			echo "not built" >"$out/log"
			count "$name" 0 1 0
		fi
	done
}

plain() {
	for src in tests/stress/*.c; do
		[ -x "build/$variant/${src%.c}" ] && run_program "$1${src%.c}" "build/$variant/${src%.c}"
	done
}

# Fuzzers: their seeds, what once failed, and changed copies of both.
fuzz() {
	for src in tests/fuzz/fuzz_*.c; do
		name=$(basename "$src" .c | sed 's/^fuzz_//')
		program=build/$variant/${src%.c}
		[ -x "$program" ] || continue
		inputs=
		for folder in "tests/fuzz/corpus/$name" "tests/fuzz/regression/$name" "schema/presets-$name"; do
			folder=${folder%-spec} # presets are seeds of specs
			[ ! -d "$folder" ] || inputs="$inputs $folder"
		done
		# shellcheck disable=SC2086 # words are meant to split
		run_program "$1${src%.c}" "$program" -400 $inputs
	done
}

scripts() {
	for script in tests/golden/*.sh tests/fault/*.sh tests/e2e/*.sh; do
		[ -f "$script" ] || continue
		STDPD="$PWD/build/$variant/stdpd" STDP_RUN="$PWD/build/$variant/stdp-run" \
			timeout -k 10 900 sh "$script" >"$out/log" 2>&1 </dev/null
		code=$?
		# 77: skipped, as automake has it
		count "$script" $((code == 0)) $((code != 0 && code != 77)) $((code == 77))
	done
}

# Page tests wait for a browser most of the time: they run beside the lints. Their folders in $out have what
# they said and their exit codes.
page() {
	for script in tests/page/*.test.mjs; do
		[ -f "$script" ] || continue
		mkdir -p "$out/$script"
		STDPD="$PWD/build/$variant/stdpd" STDP_RUN="$PWD/build/$variant/stdp-run" \
			timeout -k 10 900 node "$script" >"$out/$script/log" 2>&1 </dev/null
		echo $? >"$out/$script/code"
	done
}

# They print TAP: "ok ...", "not ok ...", "# SKIP".
book_page() {
	for script in tests/page/*.test.mjs; do
		[ -f "$script" ] || continue
		mv "$out/$script/log" "$out/log"
		code=$(cat "$out/$script/code")
		skip=$(grep -ac '^ok .*# SKIP\|^skipped:' "$out/log")
		good=$(grep -a '^ok ' "$out/log" | grep -acv '# SKIP')
		bad=$(grep -ac '^not ok ' "$out/log")
		[ "$code" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
		[ $((good + bad + skip)) -gt 0 ] || bad=1
		count "$script" "$good" "$bad" "$skip"
	done
}

lints() {
	for script in tests/lint/*.sh; do
		[ -f "$script" ] || continue
		BUILD=build/gcc JOBS=$jobs timeout -k 10 900 sh "$script" >"$out/log" 2>&1 </dev/null
		code=$?
		count "$script" $((code == 0)) $((code != 0 && code != 77)) $((code == 77))
	done
}

sources() {
	for kind in "$@"; do
		for src in tests/"$kind"/test_*.c; do
			[ -f "$src" ] && echo "build/$from/${src%.c}"
		done
	done
}

# in_time LABEL SHARE: whether so much of the budget (in percent) is left over; else it is said.
in_time() {
	[ "$(age)" -ge $((budget * $2 / 100)) ] || return 0
	echo "skipped: $1, the time is spent"
	skipped=$((skipped + 1))
	return 1
}

# End-to-end programs are the plain ones: the servers they drive are what is examined.
sanitizers() {
	variant=gcc-address from=gcc-address
	# shellcheck disable=SC2046 # words are meant to split
	build SAN=address all $(sources unit fault) $(for s in tests/fuzz/fuzz_*.c; do
		[ -f "$s" ] && echo "build/$variant/${s%.c}"
	done)
	programs 'address: ' gcc-address unit fault
	fuzz 'address: '
	! in_time 'end-to-end tests under the address sanitizer' 85 || programs 'address: ' gcc e2e
	in_time 'the thread sanitizer' 75 || return
	variant=gcc-thread
	# shellcheck disable=SC2046
	build SAN=thread all $(for s in tests/stress/*.c; do
		[ -f "$s" ] && echo "build/$variant/${s%.c}"
	done)
	plain 'thread: '
	programs 'thread: ' gcc e2e
}

echo "tests of $(git describe --always --dirty 2>/dev/null || echo the tree), $variant"
build tests CC="${variant%%-*}" WERROR=-Werror
if [ "$mode" = all ] || [ "$mode" = quick ]; then
	programs '' "$variant" unit property reference golden fault
	programs '' "$variant" e2e
	plain ''
	fuzz ''
	scripts
	page &
fi
[ "$mode" = quick ] || [ "$mode" = sanitize ] || lints
if [ "$mode" = all ] || [ "$mode" = quick ]; then
	wait
	book_page
fi
[ "$mode" = quick ] || [ "$mode" = lint ] || sanitizers

[ -z "$failures" ] || printf 'failed:%s\n' "$failures"
printf '%d passed, %d failed' "$passed" "$failed"
[ "$skipped" -eq 0 ] || printf ', %d skipped' "$skipped"
printf '\n'
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
