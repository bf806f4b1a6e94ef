#!/bin/sh
# bench_http.sh - the service: time to the first curve, small runs, reads. Prints, asserts nothing about time.
# SPDX-License-Identifier: MIT
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
stdpd=${STDPD:-$root/build/bin/stdpd}
runs=${1:-100}
dir=$(mktemp -d)
pid=
cleanup() {
	[ -z "$pid" ] || kill "$pid" 2>/dev/null || true
	[ -z "$pid" ] || wait "$pid" 2>/dev/null || true
	rm -rf "$dir"
}
trap cleanup EXIT INT TERM

began=$(date +%s%N)
"$stdpd" --listen 127.0.0.1:0 --data "$dir/data" --log-level error >"$dir/out" 2>"$dir/log" &
pid=$!
while ! grep -q 'listening on' "$dir/out"; do
	kill -0 "$pid" 2>/dev/null || { cat "$dir/log"; exit 1; }
	sleep 0.005
done
url=$(sed -n 's/^listening on //p' "$dir/out")
post() {
	curl -sS -o "$dir/run.json" -w '%{time_total}\n' "$url/v1/runs" -H 'Content-Type: application/json' \
		-H 'Prefer: wait=30' -d "$1"
}
median() {
	sort -n | awk '{ x[NR] = $1 } END { printf "%.1f", 1000 * (NR % 2 ? x[(NR + 1) / 2] : (x[NR / 2] + x[NR / 2 + 1]) / 2) }'
}
post '{"preset": "stdp_window"}' >/dev/null
echo "http: server start to first curve: $((($(date +%s%N) - began) / 1000000)) ms"
id=$(sed -n 's/^{"id": *"\([0-9a-f]*\)".*/\1/p' "$dir/run.json")
i=0
while [ "$i" -lt "$runs" ]; do
	i=$((i + 1))
	post "{\"preset\": \"stdp_window\", \"seed\": \"$i\"}"
done >"$dir/times"
echo "http: POST /v1/runs with Prefer: wait, small run: median of $runs: $(median <"$dir/times") ms"
if command -v wrk >/dev/null 2>&1; then
	echo "http: GET /v1/runs/{id}: $(wrk -t1 -c32 -d3s "$url/v1/runs/$id" | sed -n 's/^Requests.sec: *//p') requests/s (wrk, 32 connections)"
	echo "http: GET /v1/runs: $(wrk -t1 -c32 -d3s "$url/v1/runs?page_size=50" | sed -n 's/^Requests.sec: *//p') requests/s (50 items)"
else
	echo "http: wrk is not installed: requests/s skipped"
fi
echo "http: peak memory of the server: $(awk '/VmHWM/ { printf "%.0f", $2 / 1024 }' "/proc/$pid/status") MiB"
