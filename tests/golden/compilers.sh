#!/bin/sh
# compilers.sh - the digests of tests/golden with gcc and clang, -O0 and -O3, with each width of
# vectors, and on processors without FMA and AVX: all must be what the files say. Prints one line a
# variant; fails on a difference.
# SPDX-License-Identifier: MIT
#
#   sh tests/golden/compilers.sh [FOLDER]     objects are kept in FOLDER (default build/golden)
set -u
bad=0
common="-std=c17 -D_POSIX_C_SOURCE=200809L -I. -ffp-contract=off -fno-trapping-math
	-fno-math-errno -fopenmp-simd -pthread"

# The text of {"digest": ..., "spec": ...} without its first key is no JSON; so the spec is cut out.
spec() {
	sed -e '1s/^{"digest": "[0-9a-f]*", "spec": {/{/' -e '$s/}}$/}/' "$1"
}

digest() {
	sed -n 's/.*"digest": *"\([0-9a-f]\{16\}\)".*/\1/p' "$1" | head -n 1
}

# one PROGRAM GOLDEN: says nothing when the digest is the file's.
one() {
	mkdir "$dir/$$" || return 1
	spec "$2" >"$dir/$$/spec.json"
	if ! "$1" "$dir/$$" >/dev/null; then
		echo "$2: it failed"
	elif [ "$(digest "$dir/$$/result.json")" != "$(digest "$2")" ]; then
		echo "$2: $(digest "$dir/$$/result.json")"
	fi
	rm -rf "${dir:?}/$$"
}

check() { # program, words that describe the variant
	program=$1
	shift
	said=$(printf '%s\n' tests/golden/*.json |
		DIR=$dir xargs -n 1 -P "$(nproc)" sh tests/golden/compilers.sh one "$program")
	[ -z "$said" ] || bad=1
	printf '%s\n' "${said:-golden}: $*"
}

# compile COMPILER FOLDER FLAGS: the sources on stdin, as many at once as there are processors.
compile() {
	# shellcheck disable=SC2016 # for the inner shell
	COMPILER=$1 FOLDER=$2 FLAGS="$common $3 $(pkg-config --cflags jansson)" \
		xargs -r -n 1 -P "$(nproc)" sh -c \
		'exec $COMPILER $FLAGS -c -o "$FOLDER/$(echo "${1%.c}" | tr / -).o" "$1"' compile
}

if [ "${1:-}" = one ]; then # one of many at once
	dir=$DIR
	one "$2" "$3"
	exit 0
fi
out=${1:-build/golden}
built=build/gcc
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
newest=$(find core -name '*.h' -exec ls -t {} + | head -n 1)
# gcc -O3 is what make built; the other three compile the core once more.
for variant in "gcc -O0" "clang -O0" "clang -O3"; do
	cc=${variant% *} level=${variant#* }
	command -v "$cc" >/dev/null || {
		echo "skipped: no $cc"
		continue
	}
	objects=$out/$cc$level
	mkdir -p "$objects"
	for source in core/*.c core/*/*.c; do
		object=$objects/$(echo "${source%.c}" | tr / -).o
		# shellcheck disable=SC3013,SC2015 # dash knows -nt
		[ "$object" -nt "$source" ] && [ "$object" -nt "$newest" ] || echo "$source"
	done | compile "$cc" "$objects" "$level" || exit 1
	# shellcheck disable=SC2046
	"$cc" -pthread -o "$objects/stdp-run" "$objects"/core-*.o $(pkg-config --libs jansson) -lm || exit 1
	check "$objects/stdp-run" "$variant"
done
${MAKE:-make} "$built/stdp-run" >/dev/null || exit 1
check "$built/stdp-run" "gcc -O3"

# gcc's target_clones asks the processor itself (GLIBC_TUNABLES do not reach it), so each width it may
# choose is compiled alone: the files that have clones once more, the rest from the library.
for width in sse2 avx2 avx512f; do
	grep -qw "$width" /proc/cpuinfo || {
		echo "skipped: this processor has no $width"
		continue
	}
	objects=$out/gcc-$width
	mkdir -p "$objects"
	rm -f "$objects"/*.o
	grep -lw CLONES core/*.c core/*/*.c | compile gcc "$objects" "-O3 -DSTDP_CLONE=\"$width\"" || exit 1
	# shellcheck disable=SC2046
	gcc -pthread -o "$objects/stdp-run" "$built/core/main_run.o" "$objects"/core-*.o \
		"$built/libcore.a" $(pkg-config --libs jansson) -lm || exit 1
	check "$objects/stdp-run" "gcc -O3, $width in all clones"
done

# The C library chooses its variants when a program is loaded; clang's programs have no clones at all.
GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX2,-AVX,-FMA
export GLIBC_TUNABLES
check "$built/stdp-run" "gcc -O3 without FMA and AVX in the C library"
exit $bad
