#!/bin/sh
# cppcheck.sh - cppcheck over core and server.
#
# Left to others: scopes (declarations stand at the head of a block), uninitialised variables and
# conditions (clang's analyzer follows them better). The loops of jansson are told to it as loops.
# SPDX-License-Identifier: MIT
set -eu
cd "$(dirname "$0")/../.."
cache=${BUILD:-build/gcc}/cppcheck
mkdir -p "$cache"
cppcheck --quiet --error-exitcode=1 --std=c11 --language=c -I. -D_POSIX_C_SOURCE=200809L \
	--enable=warning,performance,portability,style --inline-suppr -j "${JOBS:-2}" \
	--cppcheck-build-dir="$cache" --suppress=missingIncludeSystem --suppress=unusedStructMember \
	--suppress=unmatchedSuppression --suppress=variableScope --suppress=shadowFunction \
	--suppress=uninitvar --suppress=legacyUninitvar --suppress=constParameter \
	--suppress=knownConditionTrueFalse --suppress=redundantInitialization \
	--library=tests/lint/cppcheck.cfg core server
