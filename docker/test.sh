#!/bin/sh
# test.sh - build the image, run it, drive it over HTTP, stop it and kill it, and find its runs again.
# Says "skipped" and why where no Docker engine can be had.
#
# STDP_DOCKER_BASE=IMAGE builds on another base; docker/README.md tells how to make one without a registry.
# SPDX-License-Identifier: MIT
set -eu
cd "$(dirname "$0")/.."
name=stdpd-test-$$
image=stdpd:test
base=${STDP_DOCKER_BASE:-debian:bookworm-slim}
docker=$(command -v /usr/bin/docker || command -v docker || true)
work=$(mktemp -d)

skip() {
	echo "docker-test: skipped: $1"
	exit 0
}
fail() {
	echo "docker-test: failed: $1"
	exit 1
}
cleanup() {
	if [ -n "$docker" ]; then
		"$docker" rm -f "$name" >/dev/null 2>&1 || true
		"$docker" volume rm "$name" >/dev/null 2>&1 || true
	fi
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

[ -n "$docker" ] || skip "no docker command"
timeout 20 "$docker" version -f '{{.Server.Version}}' >"$work/log" 2>&1 || skip "no Docker engine answers: $(tail -n 1 "$work/log")"
"$docker" image inspect "$base" >/dev/null 2>&1 || timeout 300 "$docker" pull -q "$base" >/dev/null 2>&1 ||
	skip "the base image $base is not here and cannot be pulled"

# Everything below is a failure, not a reason to skip.
compose=
if "$docker" compose version >/dev/null 2>&1; then
	compose="$docker compose"
elif command -v docker-compose >/dev/null 2>&1; then
	compose="docker-compose"
fi
# shellcheck disable=SC2086 # words are meant to split
[ -z "$compose" ] || $compose -f docker/compose.yaml config -q || fail "compose.yaml is not valid"

if ! "$docker" build --network host --build-arg BASE="$base" -f docker/Dockerfile -t "$image" . >"$work/log" 2>&1; then
	tail -n 30 "$work/log"
	fail "the image does not build"
fi

# As compose.yaml runs it, but on any free port; sets $url.
start() {
	"$docker" run -d --name "$name" --read-only --cap-drop ALL --security-opt no-new-privileges \
		-v "$name:/data" -p 127.0.0.1::8080 "$image" >/dev/null
	url=http://$("$docker" port "$name" 8080/tcp | head -n 1)
	for _ in $(seq 100); do
		curl -fsS "$url/readyz" >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	fail "the server is not ready after 10 s: $("$docker" logs "$name" 2>&1 | tail -n 3)"
}
stop() {
	"$docker" stop "$name" >/dev/null
	code=$("$docker" inspect -f '{{.State.ExitCode}}' "$name")
	[ "$code" = 0 ] || fail "docker stop: exit code $code, expected 0"
	"$docker" rm "$name" >/dev/null
}
submit() {
	curl -fsS -H 'Content-Type: application/json' "$@" "$url/v1/runs" >"$work/run" || fail "POST /v1/runs $*"
}
field() {
	sed -n "s/.*\"$1\": *\"\([0-9a-z]*\)\".*/\1/p" "$work/run" | head -n 1
}
same_table() {
	curl -fsS "$url/v1/runs/$done/tables/window?format=csv" >"$work/now" || fail "$1: the run's table is gone"
	cmp -s "$work/table" "$work/now" || fail "$1: the run's table has changed"
}

start
[ "$("$docker" exec "$name" id -u)" != 0 ] || fail "the server runs as root"
! "$docker" exec "$name" touch /usr/bin/x 2>/dev/null || fail "the root file system can be written"
"$docker" exec "$name" /usr/bin/stdpd --probe http://127.0.0.1:8080/readyz || fail "the probe fails"
for file in / /main.js /uPlot.iife.min.js /uPlot.min.css; do
	curl -fsS -o /dev/null "$url$file" || fail "the page lacks $file"
done

submit -H 'Prefer: wait=20' -d '{"preset": "stdp_window"}'
[ "$(field state)" = succeeded ] || fail "the run did not succeed: $(cat "$work/run")"
done=$(field id)
curl -fsS "$url/v1/runs/$done/tables/window?format=csv" >"$work/table"
grep -q dw_theory "$work/table" || fail "the run's table has no dw_theory"

# A run that is under way when the container ends, one way or the other, is run again; what had ended stays as it was.
# This one takes some 10 s.
submit -d '{"preset": "song_competition", "overrides": [{"path": "/duration_ms", "value": 1000000}]}'
long=$(field id)
await_long() {
	for _ in $(seq 100); do
		curl -fsS "$url/v1/runs/$long" >"$work/run" || fail "$1: the long run is gone"
		[ "$(field state)" != "$2" ] || return 0
		sleep 0.1
	done
	fail "$1: the long run is not $2: $(cat "$work/run")"
}
await_long "start" running
stop
start
same_table "docker stop"
await_long "docker stop" running
"$docker" kill "$name" >/dev/null
"$docker" rm "$name" >/dev/null
start
same_table "docker kill"

for _ in $(seq 60); do
	health=$("$docker" inspect -f '{{.State.Health.Status}}' "$name")
	[ "$health" = starting ] || break
	sleep 0.5
done
[ "$health" = healthy ] || fail "health: expected healthy, found $health"
curl -fsS -o /dev/null "$url/v1/runs/$long?wait=60"
await_long "docker kill" succeeded
stop

size() {
	"$docker" image inspect -f '{{.Size}}' "$1"
}
mb() {
	awk "BEGIN { printf \"%.1f\", ($1) / 1e6 }"
}
echo "docker-test: passed: image $(mb "$(size "$image")") MB, $(mb "$(size "$image") - $(size "$base")") MB of it beyond its base"
