#!/bin/sh
# shell.sh - shellcheck over all scripts.
# SPDX-License-Identifier: MIT
set -eu
cd "$(dirname "$0")/../.."
# shellcheck disable=SC2046 # words are meant to split
shellcheck -e SC2016 .ci/run $(find .ci tests docker -name '*.sh' | LC_ALL=C sort)
