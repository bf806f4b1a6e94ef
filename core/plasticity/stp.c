/* stp.c - short-term plasticity of Tsodyks & Markram.
 *
 * The weight stays; what is transmitted is w u x: u is the part of the available resources x that a
 * spike uses. Both belong to the source. Between spikes u decays with tau_fac and x recovers with
 * tau_rec. The variants differ in what becomes of used resources:
 *
 *   two_state    they recover from the spike on (Maass & Markram 2002; tsodyks2_synapse):
 *                u, x as given hold at the first spike
 *   three_state  they are active, y, and decay with tau_psc before they begin to recover
 *                (Tsodyks, Uziel & Markram 2000; tsodyks_synapse): u, x, y as given hold at
 *                time 0
 *
 * The time constants act in closed form, one spike a source: no tables of decays. */
/* SPDX-License-Identifier: MIT */
#include "core/model/plasticity.h"

enum { U_STEP, TAU_REC, TAU_FAC, TAU_PSC, VARIANT, U_0, X_0, Y_0, N_PARAMS };
enum { TWO_STATE, THREE_STATE };

static const char *const variants[] = { "two_state", "three_state", NULL };

static const struct param_def params[N_PARAMS] = {
	[U_STEP] = { "U", "Part of the unused release that a spike adds to u.", UNIT_NONE,
		     PARAM_NUMBER, 0.5, 0, 1, PARAM_OPEN_MIN },
	[TAU_REC] = { "tau_rec", "Time constant of recovery of x.", UNIT_MS, PARAM_NUMBER, 800, 0,
		      1e6, PARAM_OPEN_MIN | PARAM_OFFGRID },
	[TAU_FAC] = { "tau_fac", "Time constant of facilitation, of u; 0: none.", UNIT_MS,
		      PARAM_NUMBER, 0, 0, 1e6, PARAM_OFFGRID },
	[TAU_PSC] = { "tau_psc", "Time constant of the active resources y; three_state only.",
		      UNIT_MS, PARAM_NUMBER, 3, 0, 1e6, PARAM_OPEN_MIN | PARAM_OFFGRID },
	[VARIANT] = { "variant", "Whether used resources recover at once or are active first.",
		      UNIT_NONE, PARAM_ENUM, TWO_STATE, 0, 1, PARAM_FIXED, variants },
	[U_0] = { "u", "u before the first spike adds to it.", UNIT_NONE, PARAM_NUMBER, 0, 0, 1,
		  PARAM_FIXED },
	[X_0] = { "x", "Available resources at the start.", UNIT_NONE, PARAM_NUMBER, 1, 0, 1,
		  PARAM_FIXED },
	[Y_0] = { "y", "Active resources at the start; three_state only.", UNIT_NONE, PARAM_NUMBER,
		  0, 0, 1, PARAM_FIXED },
};

enum { C_U, C_TAU_REC, C_TAU_FAC, C_TAU_PSC, C_VARIANT, C_U_0, C_X_0, C_Y_0, N_COEFS };
enum { S_U, S_X, S_Y, N_PRE }; /* just after the last spike */

static int check(const double *p, struct err *err)
{
	if (p[VARIANT] == THREE_STATE && p[X_0] + p[Y_0] > 1)
		return err_set(err, ERR_CONFLICT, "y",
			       "y must be at most 1 - x = %g, for resources sum to 1, not %g",
			       1 - p[X_0], p[Y_0]);
	return 0;
}

static void prepare(const double *p, double dt, double *coef, double *tau)
{
	(void)dt;
	(void)tau;
	coef[C_U] = p[U_STEP];
	coef[C_TAU_REC] = p[TAU_REC];
	coef[C_TAU_FAC] = p[TAU_FAC];
	coef[C_TAU_PSC] = p[TAU_PSC];
	coef[C_VARIANT] = p[VARIANT];
	coef[C_U_0] = p[U_0];
	coef[C_X_0] = p[X_0];
	coef[C_Y_0] = p[Y_0];
}

/* u decays over h ms; without facilitation even over none. */
static double decayed_u(const double *c, double u, double h)
{
	return c[C_TAU_FAC] > 0 ? u * fmath_exp(-h / c[C_TAU_FAC]) : 0;
}

/* Resources that went the whole way active -> used -> available within h ms. The part on its way
 * is (h / tau_psc) exp(-h / slower) (1 - exp(-d)) / d, d the difference of both decays: right for
 * equal time constants too. */
static double recovered(const double *c, double h)
{
	double a = h / c[C_TAU_PSC], b = h / c[C_TAU_REC], d = fabs(a - b);
	double bend = d > 0 ? -fmath_expm1(-d) / d : 1;

	return -fmath_expm1(-a) - a * fmath_exp(-(a < b ? a : b)) * bend;
}

static void pass_time(const double *c, double *s, double h)
{
	s[S_U] = decayed_u(c, s[S_U], h);
	if (c[C_VARIANT] == TWO_STATE) {
		s[S_X] = 1 + (s[S_X] - 1) * fmath_exp(-h / c[C_TAU_REC]);
		return;
	}
	s[S_X] += recovered(c, h) * s[S_Y] - fmath_expm1(-h / c[C_TAU_REC]) * (1 - s[S_X] - s[S_Y]);
	s[S_Y] *= fmath_exp(-h / c[C_TAU_PSC]);
}

/* One spike: what it releases. */
static double release(const double *c, double *s)
{
	double out;

	s[S_U] += c[C_U] * (1 - s[S_U]);
	out = s[S_U] * s[S_X];
	s[S_X] -= out;
	s[S_Y] += out;
	return out;
}

static void update(const struct plasticity_ctx *c, struct plasticity_row *row)
{
	bool first = row->t_pre < 0;
	double *s = row->pre, sum = 0, each;

	if (!row->n_spikes)
		return;
	if (first) {
		s[S_U] = c->coef[C_U_0];
		s[S_X] = c->coef[C_X_0];
		s[S_Y] = c->coef[C_Y_0];
	}
	if (!first || c->coef[C_VARIANT] == THREE_STATE)
		pass_time(c->coef, s, c->dt * (double)(row->t - (first ? 0 : row->t_pre)));
	for (unsigned i = 0; i < row->n_spikes; i++) {
		if (i > 0)
			pass_time(c->coef, s, 0);
		sum += release(c->coef, s);
	}
	each = sum / row->n_spikes;
	for (size_t i = 0; i < row->n; i++)
		row->tx[i] = row->w[i] * each;
}

const struct plasticity_model plasticity_stp = {
	.name = "stp",
	.doc = "Short-term depression and facilitation: what is transmitted changes, the weight "
	       "stays.",
	.cite = "10.1523/JNEUROSCI.20-01-j0003.2000",
	.params = params,
	.n_params = N_PARAMS,
	.n_coefs = N_COEFS,
	.n_pre = N_PRE,
	.own_tx = true,
	.check = check,
	.prepare = prepare,
	.update = update,
};
