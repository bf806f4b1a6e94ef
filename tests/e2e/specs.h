/* specs.h - bodies for POST /v1/runs: one that ends at once, one that would take hours. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_E2E_SPECS_H
#define TESTS_E2E_SPECS_H

#define SPECS_NET(duration, size) \
	"{\"resolution_ms\":0.1,\"duration_ms\":" duration ",\"seed\":\"7\",\"populations\":{" \
	"\"in\":{\"model\":\"poisson_generator\",\"size\":" size ",\"params\":{\"rate\":40}}," \
	"\"cell\":{\"model\":\"iaf_psc_exp\",\"size\":" size \
	"}},\"projections\":{\"wire\":{\"source\":\"in\"," \
	"\"target\":\"cell\",\"connect\":{\"rule\":\"all_to_all\"},\"synapse\":{\"model\":\"stdp_" \
	"pair\"," \
	"\"weight\":50,\"delay_ms\":1.0,\"params\":{\"w_max\":100}}}},\"record\":{\"spikes\":[" \
	"\"in\",\"cell\"]}}"

#define SPECS_FAST "{\"spec\":" SPECS_NET("200", "10") "}"
#define SPECS_SLOW "{\"spec\":" SPECS_NET("50000000", "100") "}"
/* About a second. */
#define SPECS_MEDIUM "{\"spec\":" SPECS_NET("200000", "50") "}"

#endif
