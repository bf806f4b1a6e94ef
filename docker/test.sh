#!/bin/sh
# test.sh - build the image, run it, drive it over HTTP, stop it, and find the run again.
# Says "skipped" and why where no Docker engine can be had.
set -eu
cd "$(dirname "$0")/.."
name=stdpd-test-$$
image=stdpd:test
port=${STDP_DOCKER_PORT:-18091}
base=${STDP_DOCKER_BASE:-debian:bookworm-slim}
docker=$(command -v /usr/bin/docker || command -v docker || true)

skip() {
	echo "docker-test: skipped: $1"
	exit 0
}
fail() {
	echo "docker-test: failed: $1"
	exit 1
}
cleanup() {
	"$docker" rm -f "$name" >/dev/null 2>&1 || true
	"$docker" volume rm "$name" >/dev/null 2>&1 || true
}

[ -n "$docker" ] || skip "no docker command"
"$docker" info >/dev/null 2>&1 || skip "no Docker engine answers"
"$docker" image inspect "$base" >/dev/null 2>&1 || "$docker" pull -q "$base" >/dev/null 2>&1 ||
	skip "the base image $base is not here and cannot be pulled"
trap cleanup EXIT INT TERM

"$docker" build -q --network host --build-arg BASE="$base" -f docker/Dockerfile -t "$image" . >/dev/null ||
	fail "the image does not build"
start() {
	"$docker" run -d --name "$name" --read-only --tmpfs /tmp --cap-drop ALL -v "$name:/data" \
		-p "127.0.0.1:$port:8080" "$image" >/dev/null
	for _ in $(seq 100); do
		curl -fsS "http://127.0.0.1:$port/readyz" >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	fail "the server is not ready after 10 s: $("$docker" logs "$name" 2>&1 | tail -3)"
}
start
[ "$("$docker" exec "$name" id -u)" != 0 ] || fail "the server runs as root"
run=$(curl -fsS -H 'Content-Type: application/json' -H 'Prefer: wait=20' -d '{"preset": "stdp_window"}' \
	"http://127.0.0.1:$port/v1/runs")
id=$(printf '%s' "$run" | sed -n 's/.*"id": *"\([0-9a-f]*\)".*/\1/p')
printf '%s' "$run" | grep -q '"state": *"succeeded"' || fail "the run did not succeed: $run"
"$docker" exec "$name" /usr/bin/stdpd --probe http://127.0.0.1:8080/readyz || fail "the probe fails"
"$docker" stop "$name" >/dev/null
code=$("$docker" inspect -f '{{.State.ExitCode}}' "$name")
[ "$code" = 0 ] || fail "docker stop: exit code $code, expected 0"
"$docker" rm "$name" >/dev/null
start
curl -fsS "http://127.0.0.1:$port/v1/runs/$id/tables/window" | grep -q dw_theory ||
	fail "the run's table is gone after a restart"
echo "docker-test: passed: $("$docker" image inspect -f '{{.Size}}' "$image") bytes"
