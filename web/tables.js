/* tables.js - what experiments leave: the STDP window, plots as the catalogue describes them, plain tables. */
/* SPDX-License-Identifier: MIT */
import { get, getOnce } from './api.js';
import { count, el, num } from './dom.js';
import { figure, formats } from './figure.js';
import { curves, dtSketch, largestDifference, lines, numbersTable, residual, stdpCurve } from './lines.js';

const ROWS = 500; /* shown of a table */
const label = (c) => (c.unit ? `${c.name} (${c.unit})` : c.name);

async function windowPanel(base, table, spec) {
	const of = (name) => table.columns.find((c) => c.name === name)?.values ?? [];
	const dt = of('dt_ms'), dw = of('dw'), theory = of('dw_theory');
	const p = spec.params ?? {}, out = [], links = formats(`${base}/tables/window`);
	const fig = figure({ title: 'STDP curve', wide: true, links,
		help: 'Each point is one synapse of its own, driven through the engine by spikes dt apart; the line is '
			+ 'the formula. dt = t_post − t_pre is taken at the synapse: the postsynaptic spike arrives there '
			+ 'after the dendritic delay, the presynaptic one after the axonal delay. Right of zero the '
			+ 'postsynaptic spike comes second.' });
	const pairing = p.rule_params?.pairing ?? 'all_to_all', pairs = p.pairs ?? 1;
	const known = theory.some((v) => v !== null && v !== undefined);
	fig.root.querySelector('figcaption').append(dtSketch());
	stdpCurve(fig, dt, dw, known ? theory : dt.map(() => null));
	out.push(fig.root);
	if (known) {
		const d = largestDifference(dw, theory), good = d.relative <= 1e-9;
		const show = (x) => (x === 0 ? '0' : x.toExponential(1));
		fig.note(el('span', { class: `difference ${good ? 'good' : 'warning'}` },
			'Largest difference between measurement and theory: ',
			el('strong', { 'data-largest-relative': d.relative }, show(d.relative)),
			` of the largest change (${show(d.absolute)} absolute), over ${dt.length} values of dt. `,
			`${count(pairs)} ${pairs === 1 ? 'pair' : 'pairs'} of spikes each; pairing ${pairing.replace(/_/g, ' ')}.`));
		const rest = figure({ title: 'Residual', wide: true,
			help: d.absolute === 0 ? 'Measured minus theory: every difference is exactly zero.'
				: 'Measured minus theory. What is left is rounding: look at the scale.' });
		residual(rest, dt, dw, theory);
		rest.foot.append(numbersTable('Measured and theoretical weight change', ['dt (ms)', 'dw', 'theory'],
			[dt, dw, theory]));
		out.push(rest.root);
	} else {
		fig.note('This rule has no closed window to compare with.');
	}
	return out;
}

function tablePanel(base, table) {
	const [x, ...ys] = table.columns.filter((c) => typeof c.values[0] === 'number' || c.values[0] === null);
	const fig = figure({ title: `Table ${table.name}`, links: formats(`${base}/tables/${table.name}`) });
	if (ys.length && x.values.length > 1 && x.values.every((v, i, all) => !i || v >= all[i - 1]))
		lines(fig, { x: label(x), y: ys.length === 1 ? label(ys[0]) : '', label: `Table ${table.name}`,
			data: [x.values, ...ys.map((c) => c.values)], series: ys.map((c) => ({ label: label(c) })) });
	fig.foot.append(numbersTable(`Table ${table.name}`, table.columns.map(label),
		table.columns.map((c) => c.values.slice(0, ROWS))));
	return [fig.root];
}

/* The rows of a plot as curves: one for each y, and for each value of `by`. */
function curvesOf(plot, column) {
	const x = column(plot.x).values, by = plot.by ? column(plot.by) : null;
	const groups = by ? [...new Set(by.values)] : [null];
	return groups.flatMap((g) => plot.curves.map((c) => {
		const rows = x.map((_, i) => i).filter((i) => (g === null || by.values[i] === g) && x[i] !== null)
			.sort((a, b) => x[a] - x[b]);
		const pick = (name) => rows.map((i) => column(name).values[i]);
		const which = g === null ? '' : `${by.name} ${num(g)}${by.unit ? ` ${by.unit}` : ''}`;
		return {
			label: [plot.curves.length > 1 || g === null ? c.label : '', which].filter(Boolean).join(', '),
			points: c.points, x: rows.map((i) => x[i]), y: pick(c.y), error: c.error ? pick(c.error) : null,
		};
	}));
}

function plotPanel(base, table, plot) {
	const column = (name) => table.columns.find((c) => c.name === name);
	const named = [plot.x, plot.by, ...plot.curves.flatMap((c) => [c.y, c.error])].filter(Boolean);
	if (named.some((n) => !column(n)))
		return null; /* a table of another version */
	const fig = figure({ title: plot.title, help: plot.text, links: formats(`${base}/tables/${table.name}`) });
	const units = [...new Set(plot.curves.map((c) => column(c.y).unit))];
	const one = plot.curves.length === 1 ? label(column(plot.curves[0].y)) : units.length === 1 ? units[0] : '';
	curves(fig, { x: label(column(plot.x)), y: one, label: plot.title, logX: plot.log_x, list: curvesOf(plot, column) });
	fig.foot.append(numbersTable(plot.title, table.columns.map(label),
		table.columns.map((c) => c.values.slice(0, ROWS))));
	return fig.root;
}

export async function tables(base, list, spec) {
	const models = spec.experiment ? await getOnce('/v1/models') : null, out = [];
	const plots = models?.experiments.find((e) => e.name === spec.experiment)?.plots ?? [];
	for (const r of list) {
		const name = r.subject || r.name, table = await get(`${base}/tables/${encodeURIComponent(name)}`);
		const isWindow = table.columns.some((c) => c.name === 'dw') && table.columns.some((c) => c.name === 'dt_ms');
		const drawn = plots.filter((p) => p.table === name).map((p) => plotPanel(base, table, p)).filter(Boolean);
		if (drawn.length)
			out.push(...drawn);
		else
			out.push(...(isWindow ? await windowPanel(base, table, spec) : tablePanel(base, table)));
	}
	return out;
}
