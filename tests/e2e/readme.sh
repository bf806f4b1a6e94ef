#!/bin/sh
# readme.sh - run every line of the README's walk against a real server; each must succeed and none may answer 5xx.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
stdpd=${STDPD:-$root/build/bin/stdpd}
dir=$(mktemp -d)
pid=
cleanup() {
	[ -z "$pid" ] || kill "$pid" 2>/dev/null || true
	[ -z "$pid" ] || wait "$pid" 2>/dev/null || true
	rm -rf "$dir"
}
trap cleanup EXIT INT TERM

"$stdpd" --listen 127.0.0.1:0 --data "$dir/data" >"$dir/out" 2>"$dir/log" &
pid=$!
for _ in $(seq 100); do
	grep -q 'listening on' "$dir/out" && break
	sleep 0.1
done
url=$(sed -n 's/^listening on //p' "$dir/out")
[ -n "$url" ] || { echo "not ok - readme: the server does not start"; cat "$dir/log"; exit 1; }
awk '/^```sh walk/ { on = 1; next } /^```/ { on = 0 } on' "$root/README.md" |
	sed "s|^S=.*|S=$url|" >"$dir/walk.sh"
[ "$(grep -c curl "$dir/walk.sh")" -ge 10 ] || { echo "not ok - readme: the walk is gone"; exit 1; }
cd "$dir"
sh -eu walk.sh >walk.out 2>walk.err || { echo "not ok - readme: the walk fails"; cat walk.out walk.err; exit 1; }
for word in dt_ms,dw,dw_theory '"valid": *true' '"weight":' /spec/duration_ms 'iaf_psc_exp' '"items":'; do
	grep -q "$word" walk.out || { echo "not ok - readme: no $word in the answers"; cat walk.out; exit 1; }
done
! grep -q '"status": *5[0-9][0-9]' walk.out || { echo "not ok - readme: a 5xx"; exit 1; }
echo "ok - readme: every line of the walk works"
