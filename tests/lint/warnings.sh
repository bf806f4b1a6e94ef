#!/bin/sh
# warnings.sh - both compilers take everything with -Werror; clang also checks the locks.
# SPDX-License-Identifier: MIT
set -eu
cd "$(dirname "$0")/../.."
make=${MAKE:-make}
for cc in gcc clang; do
	# Only the syntax and the warnings of gcc's optimiser matter: its own variant, kept apart.
	find core server tests -name '*.c' | LC_ALL=C sort | sed "s|^|build/$cc-werror/|; s|[.]c\$|.o|" |
		xargs "$make" -k -j"${JOBS:-2}" CC=$cc VARIANT=$cc-werror WERROR=-Werror >/dev/null
done
