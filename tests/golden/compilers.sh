#!/bin/sh
# compilers.sh - the digests of tests/golden with gcc and clang, -O0 and -O3, with each width of
# vectors, and on processors without FMA and AVX: all must be what the files say. Prints one line a
# variant; fails on a difference.
# SPDX-License-Identifier: MIT
#
#   sh tests/golden/compilers.sh [FOLDER]     objects are kept in FOLDER (default build/golden)
set -u
out=${1:-build/golden}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
common="-std=c17 -D_POSIX_C_SOURCE=200809L -I. -ffp-contract=off -fno-trapping-math
	-fno-math-errno -fopenmp-simd -pthread"
bad=0

# The text of {"digest": ..., "spec": ...} without its first key is no JSON; so the spec is cut out.
spec() {
	sed -e '1s/^{"digest": "[0-9a-f]*", "spec": {/{/' -e '$s/}}$/}/' "$1"
}

digest() {
	sed -n 's/.*"digest": *"\([0-9a-f]\{16\}\)".*/\1/p' "$1" | head -n 1
}

check() { # program, words that describe the variant
	program=$1
	shift
	for golden in tests/golden/*.json; do
		spec "$golden" >"$dir/spec.json"
		"$program" "$dir" >/dev/null || {
			echo "$golden: $* failed"
			bad=1
		}
		if [ "$(digest "$dir/result.json")" != "$(digest "$golden")" ]; then
			echo "$golden: $*: $(digest "$dir/result.json")"
			bad=1
		fi
	done
	echo "golden: $*"
}

# compile COMPILER FOLDER FLAGS: the sources on stdin, as many at once as there are processors.
compile() {
	# shellcheck disable=SC2016 # for the inner shell
	COMPILER=$1 FOLDER=$2 FLAGS="$common $3 $(pkg-config --cflags jansson)" \
		xargs -r -n 1 -P "$(nproc)" sh -c \
		'exec $COMPILER $FLAGS -c -o "$FOLDER/$(echo "${1%.c}" | tr / -).o" "$1"' compile
}

for cc in gcc clang; do
	command -v "$cc" >/dev/null || {
		echo "skipped: no $cc"
		continue
	}
	for level in -O0 -O3; do
		objects=$out/$cc$level
		mkdir -p "$objects"
		for source in core/*.c core/*/*.c; do
			object=$objects/$(echo "${source%.c}" | tr / -).o
			# shellcheck disable=SC3013 # dash knows -nt
			if [ ! "$object" -nt "$source" ] || [ -n "$(find core -name '*.h' -newer "$object")" ]; then
				echo "$source"
			fi
		done | compile "$cc" "$objects" "$level" || exit 1
		# shellcheck disable=SC2046
		"$cc" -pthread -o "$objects/stdp-run" "$objects"/core-*.o $(pkg-config --libs jansson) -lm || exit 1
		check "$objects/stdp-run" "$cc $level"
	done
done

# gcc's target_clones asks the processor itself (GLIBC_TUNABLES do not reach it), so each width it may
# choose is compiled alone: the files that have clones once more, the rest as they are.
for width in sse2 avx2 avx512f; do
	[ -x "$out/gcc-O3/stdp-run" ] || break
	grep -qw "$width" /proc/cpuinfo || {
		echo "skipped: this processor has no $width"
		continue
	}
	objects=$out/gcc-$width
	mkdir -p "$objects"
	cp -pu "$out/gcc-O3"/core-*.o "$objects"
	grep -lw CLONES core/*.c core/*/*.c | compile gcc "$objects" "-O3 -DSTDP_CLONE=\"$width\"" || exit 1
	# shellcheck disable=SC2046
	gcc -pthread -o "$objects/stdp-run" "$objects"/core-*.o $(pkg-config --libs jansson) -lm || exit 1
	check "$objects/stdp-run" "gcc -O3, $width in all clones"
done

# The C library chooses its variants when a program is loaded; clang's programs have no clones at all.
if [ -x "$out/gcc-O3/stdp-run" ]; then
	GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX2,-AVX,-FMA
	export GLIBC_TUNABLES
	check "$out/gcc-O3/stdp-run" "gcc -O3 without FMA and AVX in the C library"
fi
exit $bad
