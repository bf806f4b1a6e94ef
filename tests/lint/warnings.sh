#!/bin/sh
# warnings.sh - clang takes everything with -Werror and checks the locks; gcc did when run.sh built it.
# SPDX-License-Identifier: MIT
set -eu
cd "$(dirname "$0")/../.."
# All of clang's warnings come before its optimiser: no objects are made.
find core server tests -name '*.c' | LC_ALL=C sort | sed "s|^|build/clang-syntax/|; s|[.]c\$|.o|" |
	xargs "${MAKE:-make}" -k -j"${JOBS:-2}" CC=clang VARIANT=clang-syntax WERROR=-Werror \
		CFLAGS=-fsyntax-only >/dev/null
