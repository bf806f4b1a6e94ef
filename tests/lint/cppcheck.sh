#!/bin/sh
# cppcheck.sh - cppcheck over core and server.
# SPDX-License-Identifier: MIT
set -eu
cd "$(dirname "$0")/../.."
cache=${BUILD:-build/gcc}/cppcheck
mkdir -p "$cache"
cppcheck --quiet --error-exitcode=1 --std=c11 --language=c -I. -D_POSIX_C_SOURCE=200809L \
	--enable=warning,performance,portability,style --inline-suppr -j "${JOBS:-2}" \
	--cppcheck-build-dir="$cache" --suppress=missingIncludeSystem --suppress=unusedStructMember \
	--suppress=normalCheckLevelMaxBranches --suppress=unmatchedSuppression core server
