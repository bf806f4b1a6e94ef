#!/bin/sh
# program.sh VARIANT FOLDER PROGRAM [ARGS] - one test program, in FOLDER afterwards: `log`, its exit code in
# `code`, and what sanitizers said in san/. TEST_TIMEOUT says how many seconds it may take. The server it drives
# is the variant's; simulations are done by the build that the test program is of, so that plain end-to-end tests
# examine a sanitized server and do not wait for a sanitized engine.
# SPDX-License-Identifier: MIT
variant=$1
folder=$2
STDP_RUN=$PWD/${3%%/tests/*}/stdp-run
export STDP_RUN
shift 2
case $1 in
*/test_*) set -- "$1" --verbose ;;
esac
mkdir -p "$folder/san"
STDPD="$PWD/build/$variant/stdpd" \
	ASAN_OPTIONS="log_path=$folder/san/r:allocator_may_return_null=1:detect_leaks=1" \
	UBSAN_OPTIONS="log_path=$folder/san/r:print_stacktrace=1" \
	TSAN_OPTIONS="log_path=$folder/san/r:halt_on_error=0" \
	timeout -k 10 "$TEST_TIMEOUT" "$@" >"$folder/log" 2>&1 </dev/null
echo $? >"$folder/code"
