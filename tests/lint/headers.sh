#!/bin/sh
# headers.sh - each header compiles alone.
# SPDX-License-Identifier: MIT
set -eu
cd "$(dirname "$0")/../.."
find core server tests -name '*.h' | LC_ALL=C sort | xargs -P "${JOBS:-2}" -I{} sh -c '
	printf "#include \"{}\"\nextern int not_empty;\n" | ${CC:-gcc} -std=c17 \
		-D_POSIX_C_SOURCE=200809L -I. -fopenmp-simd -Wall -Wextra -Wpedantic \
		-Wstrict-prototypes -Werror -fsyntax-only -x c - || { echo "{}: does not stand alone"; exit 1; }'
