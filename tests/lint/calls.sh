#!/bin/sh
# calls.sh - functions that must not be called, found in the objects themselves.
# SPDX-License-Identifier: MIT
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build/gcc}
# shellcheck disable=SC2046 # words are meant to split
nm -u -A $(find core server -name '*.c' | LC_ALL=C sort | sed "s|^|$BUILD/|; s|[.]c\$|.o|" |
	xargs -I{} sh -c 'test -f {} && echo {} || true') | awk -v build="$BUILD/" '
# ban(where, except, names, reason): regular expressions of source files
BEGIN {
	ban(".", "^core/base/mem[.]c$", "malloc calloc realloc free strdup strndup posix_memalign " \
	    "aligned_alloc reallocarray asprintf vasprintf", "memory comes from core/base/mem.h")
	ban(".", "^$", "strcpy strcat sprintf vsprintf stpcpy gets atoi atol atof system popen tmpnam " \
	    "mktemp strtok rand srand random drand48 sscanf scanf setlocale", "unsafe or not reproducible")
	program = "^core/(main_run|serve[a-z_]*)[.]c$"
	ban("^core/", program, "printf vprintf puts putchar fputs fputc putc fwrite fprintf vfprintf " \
	    "perror stdout stderr exit _exit abort quick_exit", "core neither prints nor exits")
	ban("^core/", program, "time clock gettimeofday clock_gettime getenv secure_getenv gmtime " \
	    "localtime getrandom nanosleep usleep sleep fork kill signal sigaction",
	    "core has no clock, no environment, no process control")
	ban("^core/", "^$", "exp exp2 expm1 exp10 log log2 log10 log1p pow sin cos tan asin acos atan " \
	    "atan2 sinh cosh tanh cbrt hypot erf erfc tgamma lgamma fma expf logf powf sincos",
	    "bits of libm differ between machines: core/base/fmath.h")
	ban("^server/", "^server/(main|main_gen|log|config)[.]c$", "printf vprintf puts putchar fputs " \
	    "fputc putc fprintf vfprintf perror stdout stderr exit abort",
	    "only log.c prints, only main.c exits")
}
function ban(w, e, list, r,    a, i, k) {
	n += 0
	where[n] = w; except[n] = e; reason[n] = r
	k = split(list, a, " ")
	for (i = 1; i <= k; i++)
		banned[n, a[i]] = 1
	n++
}
{
	src = substr($1, length(build) + 1)
	sub(/[.]o:.*/, ".c", src)
	name = $3
	sub(/@.*/, "", name)
	plain = name
	sub(/^__/, "", plain)
	sub(/_chk$/, "", plain)
	sub(/^isoc99_/, "", plain)
	for (i = 0; i < n; i++) {
		if (((i, name) in banned || (i, plain) in banned) && src ~ where[i] && src !~ except[i]) {
			print src ": calls " name " (" reason[i] ")"
			bad = 1
		}
	}
}
END { exit bad }'
