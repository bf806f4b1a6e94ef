/* kit_measured.c - see kit_measured.h. */
/* SPDX-License-Identifier: MIT */
#include "core/kit_measured.h"

// clang-format off
#define PAIR(hz, dt, dw, sem) { { { 0 }, { dt }, 1, 1, 1000.0 / (hz) }, dw, sem }

const struct kit_measured kit_measured_visual[MEASURED_VISUAL] = {
	PAIR(0.1, 10, -0.04, 0.05), PAIR(0.1, -10, -0.29, 0.08),
	PAIR(10,  10,  0.14, 0.10), PAIR(10,  -10, -0.41, 0.11),
	PAIR(20,  10,  0.29, 0.14), PAIR(20,  -10, -0.34, 0.10),
	PAIR(40,  10,  0.53, 0.11), PAIR(40,  -10,  0.56, 0.32),
	PAIR(50,  10,  0.56, 0.26), PAIR(50,  -10,  0.75, 0.19),
};

/* Triplets (dt1, dt2): pre-post-pre has its presynaptic spikes at t_post - dt1 and t_post - dt2,
 * post-pre-post its postsynaptic ones at t_pre + dt1 and t_pre + dt2. Quadruplets: two pairs of
 * |dt| = 5 ms, their middles |T| apart; T < 0: pre-post, then post-pre; T > 0: the reverse. */
#define PRE_POST_PRE(dt1, dt2, dw, sem)  { { { -(dt1), -(dt2) }, { 0 }, 2, 1, 1000 }, dw, sem }
#define POST_PRE_POST(dt1, dt2, dw, sem) { { { 0 }, { dt1, dt2 }, 1, 2, 1000 }, dw, sem }

const struct kit_measured kit_measured_hippocampus[MEASURED_HIPPOCAMPUS] = {
	PAIR(1,  10,  0.25, 0.05),
	PAIR(1, -10, -0.17, 0.05),
	PRE_POST_PRE(5,   -5, -0.01, 0.04),
	PRE_POST_PRE(10, -10,  0.03, 0.04),
	PRE_POST_PRE(15,  -5,  0.01, 0.03),
	PRE_POST_PRE(5,  -15,  0.24, 0.06),
	POST_PRE_POST(-5,   5, 0.33, 0.04),
	POST_PRE_POST(-10, 10, 0.34, 0.04),
	POST_PRE_POST(-5,  15, 0.22, 0.08),
	POST_PRE_POST(-15,  5, 0.29, 0.05),
	{ { { 0, 93.5 }, { 5, 88.5 }, 2, 2, 1000 }, -0.003, 0.03 }, /* T = -88.5 */
	{ { { 5, 83.7 }, { 0, 88.7 }, 2, 2, 1000 }, 0.06, 0.04 },   /* T =  83.7 */
	{ { { 5, 20 }, { 0, 25 }, 2, 2, 1000 }, 0.21, 0.04 },       /* T =  20 */
};

const struct kit_measured_prediction kit_measured_predictions[MEASURED_PREDICTIONS] = {
	{ "visual_cortex_all_to_all_full", true, 0.34,
	  { 0, -.312, .132, -.334, .247, -.352, .534, .155, .741, .727 } },
	{ "visual_cortex_all_to_all_minimal", true, 0.36,
	  { 0, -.317, .119, -.332, .228, -.342, .532, .174, .763, .749 } },
	{ "visual_cortex_nearest_full", true, 0.23,
	  { 0, -.294, .104, -.411, .323, -.338, .560, .260, .624, .619 } },
	{ "visual_cortex_nearest_minimal", true, 0.35,
	  { 0, -.357, .101, -.356, .322, -.279, .568, .290, .636, .630 } },
	{ "hippocampus_all_to_all_full", false, 2.83,
	  { .202, -.104, .043, .005, -.078, .102, .358, .204, .108, .325, .035, .103, .245 } },
	{ "hippocampus_all_to_all_minimal", false, 3.27,
	  { .175, -.156, .055, .019, -.051, .102, .333, .180, .068, .318, .042, .079, .305 } },
	{ "hippocampus_nearest_full", false, 2.72,
	  { .152, -.134, .050, .018, -.042, .090, .378, .215, .104, .355, .052, .096, .189 } },
	{ "hippocampus_nearest_minimal", false, 2.71,
	  { .152, -.134, .050, .018, -.042, .090, .379, .217, .105, .357, .052, .099, .191 } },
};
// clang-format on
