/* sweep_plot.js - a metric over the axes of a sweep: a curve with its deviation over seeds, or a heat map. */
/* SPDX-License-Identifier: MIT */
import { el, freshId, num } from './dom.js';
import { figure, formats } from './figure.js';
import { heatMap } from './images.js';
import { curves } from './lines.js';

const SEEDS_SHOWN = 6;

export const textOf = (v) => (typeof v === 'number' ? num(v, 6) : typeof v === 'string' ? v : JSON.stringify(v));
export const column = (table, name, kind) => table.columns.find((c) => c.name === name && (!kind || kind.includes(c.kind)))?.values;

const numeric = (axis) => axis.values.every((v) => typeof v === 'number');
/* As a person would draw it: far apart and none below zero. */
function isLog(values) {
	const low = Math.min(...values), high = Math.max(...values);
	return values.length > 2 && low > 0 && high / low >= 30;
}

/* Cells (points without seeds) in which the other axes have these values. */
function cellsWhere(sweep, fixed) {
	const sizes = sweep.axes.map((a) => a.values.length), out = [];
	const n = sizes.reduce((a, b) => a * b, 1);
	for (let c = 0; c < n; c += 1) {
		let rest = c;
		const at = sizes.map(() => 0);
		for (let i = sizes.length - 1; i >= 0; i -= 1) {
			at[i] = rest % sizes[i];
			rest = Math.floor(rest / sizes[i]);
		}
		if ([...fixed].every(([i, k]) => at[i] === k))
			out.push({ cell: c, at });
	}
	return out;
}

function curveOver(fig, { sweep, table, cells, metric }, axisIndex, fixed) {
	const axis = sweep.axes[axisIndex], number = numeric(axis), seeds = sweep.seeds.length;
	const x = number ? axis.values : axis.values.map((_, i) => i + 1), mean = column(cells, metric, ['mean']);
	const sd = column(cells, `${metric}_sd`, ['sd']), single = column(table, metric, ['metric']);
	const at = cellsWhere(sweep, fixed).sort((a, b) => x[a.at[axisIndex]] - x[b.at[axisIndex]]);
	const pick = (values) => at.map((c) => values?.[c.cell] ?? null), xs = at.map((c) => x[c.at[axisIndex]]);
	const list = [{ label: seeds > 1 ? 'mean over seeds' : metric, x: xs, y: pick(mean), error: seeds > 1 ? pick(sd) : null }];
	const known = list[0].y.some((v) => v !== null);
	if (seeds > 1 && seeds <= SEEDS_SHOWN)
		sweep.seeds.forEach((seed, k) => list.push({ label: `seed ${seed}`, points: true, x: xs,
			y: at.map((c) => single?.[c.cell * seeds + k] ?? null) }));
	else
		list.push({ label: seeds > 1 ? 'means' : 'runs', points: true, x: xs, y: list[0].y });
	if (!known) {
		fig.note('No run has left this metric yet.');
		return;
	}
	curves(fig, { list, x: number ? axis.name : `${axis.name} (number of the value)`, y: metric, logX: number && isLog(axis.values),
		label: `${metric} over ${axis.name}: ${list[0].y.map((v, i) => `${textOf(axis.values[at[i].at[axisIndex]])}: ${num(v, 4)}`).join('; ')}` });
	fig.note([number ? '' : `${axis.values.map((v, i) => `${i + 1}: ${textOf(v)}`).join(', ')}. `,
		seeds > 1 ? `Bars are one standard deviation over ${seeds} seeds, up and down.` : ''].join(''));
}

const shortText = (v) => (typeof v === 'number' ? num(v, 3) : textOf(v).slice(0, 12));

/* Ticks in the middle of cells, as many as there is room for. */
function cellTicks(axis, most) {
	const step = Math.ceil(axis.values.length / most), order = axis.values.map((_, i) => i).filter((i) => i % step === 0);
	return { min: 0, max: axis.values.length, label: axis.name, ticks: order.map((i) => i + 0.5),
		text: (v) => shortText(axis.values[Math.floor(v)]) };
}

function mapOver(fig, { sweep, cells, metric }, yIndex, xIndex, fixed) {
	const xa = sweep.axes[xIndex], ya = sweep.axes[yIndex], mean = column(cells, metric, ['mean']);
	const grid = ya.values.map(() => xa.values.map(() => NaN));
	for (const c of cellsWhere(sweep, fixed))
		grid[c.at[yIndex]][c.at[xIndex]] = mean?.[c.cell] ?? NaN;
	const all = grid.flat().filter(Number.isFinite);
	if (!all.length) {
		fig.note('No run has left this metric yet.');
		return;
	}
	heatMap(fig, {
		cols: xa.values.length, rows: ya.values.length, at: (r, c) => grid[r][c], height: 340,
		min: Math.min(...all), max: Math.max(...all), x: cellTicks(xa, 10), y: cellTicks(ya, 8), z: { label: metric },
		label: `${metric} over ${ya.name} and ${xa.name}, from ${num(Math.min(...all), 4)} to ${num(Math.max(...all), 4)}; the table below has the numbers`,
		read: (r, c) => `${ya.name} ${textOf(ya.values[r])}, ${xa.name} ${textOf(xa.values[c])}: ${Number.isFinite(grid[r][c])
			? num(grid[r][c], 6) : 'no run yet'}`,
	});
	fig.note([sweep.seeds.length > 1 ? `Means over ${sweep.seeds.length} seeds. ` : '',
		all.length < grid.flat().length ? 'Empty cells have no result yet.' : ''].join(''));
}

/* Which two (or one) of the axes are drawn, and at which values of the others; kept while the page lives. */
const kept = new Map();

/* The plot of a metric; [] where there is nothing to plot over. */
export function sweepPlot(ctx) {
	const { base, sweep, metric } = ctx, varying = sweep.axes.map((_, i) => i).filter((i) => sweep.axes[i].values.length > 1);
	const fixed = kept.get(sweep.id) ?? new Map(), shown = varying.slice(0, 2), rest = sweep.axes.map((_, i) => i).filter((i) => !shown.includes(i));
	if (!varying.length || !metric)
		return [];
	for (const i of rest)
		if (!fixed.has(i))
			fixed.set(i, 0);
	kept.set(sweep.id, fixed);
	const title = `${metric} over ${shown.map((i) => sweep.axes[i].name).join(' and ')}`;
	const fig = figure({ title, wide: true, links: formats(`${base}/table?over=seeds`) });
	const pickers = rest.filter((i) => sweep.axes[i].values.length > 1).map((i) => {
		const axis = sweep.axes[i], id = freshId('slice');
		const select = el('select', { id, 'data-keep': `slice-${i}`, onchange: (e) => {
			fixed.set(i, Number(e.target.value));
			const [next] = sweepPlot(ctx);
			fig.root.replaceWith(next);
			next.querySelector(`[data-keep="slice-${i}"]`)?.focus();
		} }, axis.values.map((v, k) => el('option', { value: k, selected: fixed.get(i) === k }, textOf(v))));
		return el('div', { class: 'field narrow' }, el('label', { for: id }, axis.name), select);
	});
	if (pickers.length)
		fig.root.querySelector('figcaption').append(el('div', { class: 'filters' }, pickers));
	if (shown.length === 1)
		curveOver(fig, ctx, shown[0], fixed);
	else
		mapOver(fig, ctx, shown[0], shown[1], fixed);
	return [fig.root];
}
