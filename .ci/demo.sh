#!/bin/sh
# demo.sh [PORT] - start the server, let it measure one STDP curve, print it, keep serving.
# SPDX-License-Identifier: MIT
set -eu
port=${1:-8080}
cd "$(dirname "$0")/.."
work=$(mktemp -d)
pid=
finish() {
	[ -z "$pid" ] || kill "$pid" 2>/dev/null || true
	[ -z "$pid" ] || wait "$pid" 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

build/bin/stdpd --listen "127.0.0.1:$port" --data "${DATA:-stdpd-data}" >"$work/out" 2>"$work/log" &
pid=$!
for _ in $(seq 100); do
	grep -q '^listening on' "$work/out" && break
	kill -0 "$pid" 2>/dev/null || break
	sleep 0.1
done
url=$(sed -n 's/^listening on //p' "$work/out")
if [ -z "$url" ]; then
	echo "the server did not start:"
	cat "$work/log"
	exit 1
fi

curl -fsS -H 'Content-Type: application/json' -H 'Prefer: wait=20' -d '{"preset": "stdp_window"}' \
	-o "$work/run.json" "$url/v1/runs"
id=$(sed -n 's/.*"id": *"\([0-9a-f]*\)".*/\1/p' "$work/run.json" | head -n 1)
curl -fsS "$url/v1/runs/$id/tables/window?format=csv" >"$work/window.csv"
echo
echo "The window of pair STDP, each point measured by driving one synapse spike by spike:"
awk -F, '
{ sub(/\r$/, "") } # lines end as RFC 4180 has it
NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
/^#/ { next }
function size(v) { return v < 0 ? -v : v }
{
	x[++n] = $column["dt_ms"]; y[n] = $column["dw"]
	if (size(y[n]) > top) top = size(y[n])
	if (size(y[n] - $column["dw_theory"]) > worst) worst = size(y[n] - $column["dw_theory"])
}
END {
	if (!top) { print "the table has no change of weight"; exit 1 }
	printf "%8s  %11s\n", "dt (ms)", "dw"
	for (i = 1; i <= n; i++) {
		if (n > 24 && (i - 1) % int(n / 20 + 1))
			continue
		k = int(24 * y[i] / top + (y[i] < 0 ? -0.5 : 0.5))
		left = ""; right = ""
		for (j = 24; j > 0; j--) left = left (k < 0 && j <= -k ? "#" : " ")
		for (j = 1; j <= k; j++) right = right "#"
		printf "%8g  %+.4e  %s|%s\n", x[i], y[i], left, right
	}
	printf "\nLargest difference from the formula: %g of the largest change (must be at most 1e-9).\n", worst / top
}' "$work/window.csv"
echo
echo "This run:  $url/#/runs/$id"
echo "The page:  $url/        (Ctrl-C ends the server)"
wait "$pid"
