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
composed=

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
		[ -z "$composed" ] || $composed down -v >/dev/null 2>&1 || true
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
	await "$docker logs $name"
}
# await LOGS: until the server answers; LOGS is a command that shows what it said.
await() {
	for _ in $(seq 100); do
		curl -fsS "$url/readyz" >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	fail "the server is not ready after 10 s: $($1 2>&1 | tail -n 3)"
}
# The token in what a container said: one, from its first start.
token_in() {
	$1 2>/dev/null | sed -n 's/.*shown this once: \(stdpd_[0-9a-f]*\).*/\1/p'
}
take_token() {
	token=$(token_in "$1")
	[ "$(echo "$token" | wc -w)" = 1 ] || fail "expected one access token in the log, found \"$token\""
	printf 'header = "Authorization: Bearer %s"\n' "$token" >"$work/auth"
}
ask() {
	curl -fsS -K "$work/auth" "$@"
}
status() {
	curl -s -o /dev/null -w '%{http_code}' "$@"
}
stop() {
	"$docker" stop "$name" >/dev/null
	code=$("$docker" inspect -f '{{.State.ExitCode}}' "$name")
	[ "$code" = 0 ] || fail "docker stop: exit code $code, expected 0"
	"$docker" rm "$name" >/dev/null
}
post() {
	path=$1
	shift
	ask -H 'Content-Type: application/json' "$@" "$url$path" >"$work/answer" || fail "POST $path $*"
}
field() {
	sed -n "s/.*\"$1\": *\"\{0,1\}\([0-9a-z]*\).*/\1/p" "$work/answer" | head -n 1
}
same_table() {
	ask "$url/v1/runs/$done/tables/window?format=csv" >"$work/now" || fail "$1: the run's table is gone"
	cmp -s "$work/table" "$work/now" || fail "$1: the run's table has changed"
}

# ---- what it is ----

start
take_token "$docker logs $name"
[ "$(status "$url/v1/runs")" = 401 ] || fail "without a token: expected 401, found $(status "$url/v1/runs")"
ask -o /dev/null "$url/v1/runs" || fail "the first token is not good"
[ "$("$docker" exec "$name" id -u)" != 0 ] || fail "the server runs as root"
! "$docker" exec "$name" touch /usr/bin/x 2>/dev/null || fail "the root file system can be written"
"$docker" exec "$name" /usr/bin/stdpd --probe http://127.0.0.1:8080/readyz || fail "the probe fails"
[ "$("$docker" exec "$name" stdpd token list | wc -l)" = 1 ] || fail "token list: expected one line"
for file in / /main.js /uPlot.iife.min.js /uPlot.min.css; do
	curl -fsS -o /dev/null "$url$file" || fail "the page lacks $file"
done

# ---- what it keeps ----

post /v1/runs -H 'Prefer: wait=20' -d '{"preset": "stdp_window"}'
[ "$(field state)" = succeeded ] || fail "the run did not succeed: $(cat "$work/answer")"
done=$(field id)
ask "$url/v1/runs/$done/tables/window?format=csv" >"$work/table"
grep -q dw_theory "$work/table" || fail "the run's table has no dw_theory"
post /v1/sessions -d '{"preset": "song_competition"}'
session=$(field id)
post "/v1/sessions/$session/step" -d '{"duration_ms": 1000}'

# A run that is under way when the container ends, one way or the other, goes on; what had ended stays as it was.
# This one takes some 40 s.
post /v1/runs -d '{"preset": "song_competition", "overrides": [{"path": "/duration_ms", "value": 3000000}]}'
long=$(field id)
await_long() {
	for _ in $(seq 100); do
		ask "$url/v1/runs/$long" >"$work/answer" || fail "$1: the long run is gone"
		[ "$(field state)" != "$2" ] || return 0
		sleep 0.1
	done
	fail "$1: the long run is not $2: $(cat "$work/answer")"
}
await_long "start" running
sleep 1
stop
start
[ -z "$(token_in "$docker logs $name")" ] || fail "a second start shows a token"
same_table "docker stop"
await_long "docker stop" running
ask "$url/v1/runs/$long/log" >"$work/log" || fail "the long run has no log"
post "/v1/sessions/$session/step" -d '{"duration_ms": 1, "expect_t_ms": 1000}'
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
for _ in 1 2 3 4 5 6; do
	ask -o /dev/null "$url/v1/runs/$long?wait=30"
done
await_long "docker kill" succeeded
stop

# ---- compose ----

if [ -n "$compose" ]; then
	export STDPD_IMAGE=$image PORT=0
	composed="$compose -p $name -f docker/compose.yaml"
	$composed up -d --no-build >"$work/log" 2>&1 || fail "compose up: $(tail -n 3 "$work/log")"
	url=http://$($composed port stdpd 8080)
	await "$composed logs"
	take_token "$composed logs --no-color"
	ask -o /dev/null "$url/v1/me" || fail "compose: the first token is not good"
	$composed down -v >"$work/log" 2>&1 || fail "compose down: $(tail -n 3 "$work/log")"
fi

# ---- how large it is: as a registry would hold it, layer by layer ----

packed() {
	"$docker" save "$1" | tar -xO --wildcards '*.tar' | gzip -6 | wc -c
}
plain() {
	"$docker" image inspect -f '{{.Size}}' "$1"
}
mb() {
	awk "BEGIN { printf \"%.1f\", ($1) / 1e6 }"
}
beyond=$(($(packed "$image") - $(packed "$base")))
echo "docker-test: image $(mb "$(plain "$image")") MB; beyond its base $(mb "$(plain "$image") - $(plain "$base")") MB, $(mb "$beyond") MB compressed"
[ "$beyond" -lt 60000000 ] || fail "expected less than 60 MB compressed beyond the base"
echo "docker-test: passed"
