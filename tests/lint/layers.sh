#!/bin/sh
# layers.sh - no file includes upward, and a foreign library's header stands in its home only.
# SPDX-License-Identifier: MIT
set -eu
cd "$(dirname "$0")/../.."
files=$(find core server -name '*.[ch]' | LC_ALL=C sort)
# shellcheck disable=SC2086 # words are meant to split
grep -Hn '^[ 	]*#[ 	]*include' $files | awk -F: '
# A row is a layer and the stems in it; a stem covers its parts too (net: net.h, net_wire.c).
BEGIN {
	row(0, "core/base core/rundir core/guard")
	row(1, "core/model")
	row(2, "core/neuron core/plasticity core/wiring")
	row(3, "core/spec")
	row(4, "core/net")
	row(5, "core/exchange")
	row(6, "core/sim")
	row(7, "core/rec")
	row(8, "core/result core/ckpt")
	row(9, "core/engine core/spec_json core/catalog core/replay")
	row(10, "core/experiment core/kit core/serve")
	row(11, "core/main")
	row(20, "server/log server/lock server/thread server/clock server/id server/crypt server/metric server/embed server/gzip server/dump server/pointer")
	row(21, "server/config server/problem server/http server/park server/run server/store server/post server/npz")
	row(22, "server/once server/cond server/encode server/kept server/auth server/space server/folder server/view server/event server/dataset")
	row(23, "server/queue server/exec server/hook server/session server/harvest server/sweep server/token")
	row(24, "server/api server/route server/gen")
	row(25, "server/main")
	home("microhttpd.h", "^server/http[._]")
	home("sqlite3.h", "^server/store(_mem)?[.]c|^server/store_db[.]h|^server/store_sql")
	home("curl/curl.h", "^server/post[a-z_]*[.]c")
	home("zlib.h", "^server/(npz|gzip|dataset[a-z_]*)[.]c")
	home("openssl/", "^server/crypt[.]c")
	home("pthread.h", "^core/sim|^server/(lock|thread)[.][ch]|^server/(exec[a-z_]*|hook|main|store|http|event)[.]c")
	home("jansson.h", "^core/(spec_json|catalog|result|engine|serve|replay|main_run|experiment/|kit|ckpt)|^core/model/experiment[.]h|^server/")
}
function row(n, stems,    a, i, k) {
	k = split(stems, a, " ")
	for (i = 1; i <= k; i++)
		layer[a[i]] = n
}
function home(header, where) { homes[header] = where }
function layer_of(path) {
	sub(/[.][chS]$/, "", path)
	while (!(path in layer)) {
		if (path !~ /[_\/]/ || path ~ /^(core|server)\/[^_\/]*$/)
			return -1
		sub(/[_\/][^_\/]*$/, "", path)
	}
	return layer[path]
}
function fault(text) { print $1 ":" $2 ": " text; bad = 1 }
{
	from = layer_of($1)
	if (from < 0 && !($1 in told)) {
		fault("has no layer: add it to tests/lint/layers.sh")
		told[$1] = 1
	}
	target = $0
	sub(/^[^"<]*["<]/, "", target)
	sub(/[">].*/, "", target)
	for (h in homes)
		if (index(target, h) == 1 && $1 !~ homes[h])
			fault(target " has its home elsewhere")
	if (target !~ /^(core|server|tests)\// ) {
		if ($0 ~ /include[ \t]*"/)
			fault("includes are written from the root: " target)
		next
	}
	to = layer_of(target)
	if (from >= 0 && to > from)
		fault("includes upward: " target " (layer " to " from " from ")")
	if (from == 2 && to == 2 && dir(target) != dir($1))
		fault("a model includes another kind of model: " target)
	if (from >= 20 && to >= 0 && to < 20 && $1 != "server/main_gen.c" &&
	    target !~ /^core\/(base\/[a-z]+|model\/[a-z]+|spec|spec_json|catalog|engine|result|rundir)[.]h$/)
		fault("not for the server: " target)
}
function dir(path) { sub(/\/[^\/]*$/, "", path); return path }
END { exit bad }'
