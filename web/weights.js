/* weights.js - the weights of a run: histogram over time, matrix or receptive fields, traces, pairs. */
/* SPDX-License-Identifier: MIT */
import { get, query } from './api.js';
import { count, el, freshId, num, simTime } from './dom.js';
import { figure, formats } from './figure.js';
import { heatMap, receptiveFields } from './images.js';
import { lines, traces } from './lines.js';

const WHOLE = 300000; /* synapses that are fetched one by one */
const IMAGE = 784;    /* sources that are an image of 28 by 28 */

const columnRows = (r, name) => r.columns?.find((c) => c.name === name)?.shape?.[0] ?? 0;

/* ---- distribution ---- */

async function histogram(base, projection) {
	const path = `${base}/weights/histogram`;
	const h = await get(path + query({ projection }));
	const out = [], n = h.at_ms.length, bins = h.edges.length - 1;
	const label = { min: h.edges[0], max: h.edges[bins], label: 'weight' };
	if (n > 2) {
		const fig = figure({ title: `Weights of ${projection} over time`, links: formats(path + query({ projection }), ['csv']),
			help: 'A column is the distribution of weights at one time; darker or brighter than the ground '
				+ 'means more synapses. The scale is a square root, so that few synapses show too.' });
		const most = Math.max(1, ...h.counts.flat());
		heatMap(fig, { cols: n, rows: bins, at: (r, c) => h.counts[c][r], min: 0, max: most,
			x: { min: h.at_ms[0], max: h.at_ms[n - 1], label: 'time (ms)' }, y: label,
			z: { label: 'synapses', power: 0.5 }, label: `Histogram of the weights of ${projection} over time`,
			read: (r, c) => `${num(h.at_ms[c])} ms, weight ${num(h.edges[r])} to ${num(h.edges[r + 1])}: ${
				count(h.counts[c][r])} synapses` });
		out.push(fig.root);
	}
	const last = figure({ title: `Distribution of ${projection}`, help: n > 1
		? 'At the start and at the end.' : 'At the end.' });
	const step = (c) => [...c, c[c.length - 1]];
	const stairs = window.uPlot.paths.stepped({ align: 1 });
	lines(last, { x: 'weight', y: 'synapses', label: `Distribution of the weights of ${projection}`, paths: stairs,
		data: [h.edges, ...(n > 1 ? [step(h.counts[0])] : []), step(h.counts[n - 1])],
		series: [...(n > 1 ? [{ label: `at ${simTime(h.at_ms[0])}`, colour: (t) => t.muted, dash: [5, 4] }] : []),
			{ label: `at ${simTime(h.at_ms[n - 1])}`, colour: (t) => t.accent, width: 2 }] });
	out.push(last.root);
	return { out, at: h.at_ms };
}

/* ---- who is connected how strongly ---- */

function dense(w, sources, targets) {
	const values = new Float64Array(sources * targets), several = new Uint32Array(sources * targets);
	for (let k = 0; k < w.weight.length; k += 1) {
		const i = w.target[k] * sources + w.source[k];
		values[i] += w.weight[k];
		several[i] += 1;
	}
	return values.map((v, i) => v / several[i]); /* NaN where no synapse is */
}

function range(values) {
	let min = Infinity, max = -Infinity;
	for (const v of values)
		if (Number.isFinite(v)) {
			min = Math.min(min, v);
			max = Math.max(max, v);
		}
	return min <= 0 || min > 0.4 * max ? [Math.min(min, 0), Math.max(max, 0)] : [0, max];
}

function drawWeights(fig, projection, w, sources, targets) {
	const values = dense(w, sources, targets), [min, max] = range(values);
	if (sources === IMAGE) {
		receptiveFields(fig, { side: 28, targets, name: projection, min, max,
			weight: (target, source) => values[target * sources + source] });
		return;
	}
	if (targets <= 2) {
		const x = Array.from({ length: sources }, (_, i) => i);
		const rows = Array.from({ length: targets }, (_, t) => x.map((i) => {
			const v = values[t * sources + i];
			return Number.isNaN(v) ? null : v;
		}));
		lines(fig, { x: 'source neuron', y: 'weight', label: `Weights of ${projection} by source`,
			data: [x, ...rows], series: rows.map((_, t) => ({ label: `onto neuron ${t}`, points: 3.5 })) });
		return;
	}
	heatMap(fig, { cols: sources, rows: targets, at: (r, c) => values[r * sources + c], min, max,
		x: { min: 0, max: sources, label: 'source neuron' }, y: { min: 0, max: targets, label: 'target neuron' },
		z: { label: 'weight' }, label: `Weight matrix of ${projection}`, height: 340,
		read: (r, c) => `${c} → ${r}: ${Number.isNaN(values[r * sources + c]) ? 'no synapse'
			: num(values[r * sources + c], 6)}` });
}

/* Too many synapses for single ones: means over cells. */
async function coarse(base, projection) {
	const path = `${base}/weights/matrix${query({ projection, rows: 200, cols: 200 })}`, m = await get(path);
	const cols = m.rows, rows = m.cols; /* it comes as source by target */
	const flat = Array.from({ length: rows * cols }, (_, i) =>
		m.values[i % cols][Math.floor(i / cols)] ?? NaN);
	const [min, max] = range(flat);
	const fig = figure({ title: `Weight matrix of ${projection}`, links: [['JSON', path]],
		help: 'Mean weight over groups of neurons.' });
	heatMap(fig, { cols, rows, at: (r, c) => flat[r * cols + c], min, max,
		x: { min: 0, max: m.n_source, label: 'source neuron' },
		y: { min: 0, max: m.n_target, label: 'target neuron' },
		z: { label: 'weight' }, label: `Weight matrix of ${projection}`, height: 340,
		read: (r, c) => num(flat[r * cols + c], 6) });
	return [fig.root];
}

async function matrix(base, projection, sizes, times) {
	const path = `${base}/weights`, w = await get(path + query({ projection }));
	const sources = sizes.source ?? Math.max(...w.source) + 1, targets = sizes.target ?? Math.max(...w.target) + 1;
	const image = sources === IMAGE;
	const fig = figure({ title: image ? `Receptive fields of ${projection}` : `Weights of ${projection}`,
		wide: image, links: formats(path + query({ projection })),
		help: image ? `The incoming weights of each neuron as an image of 28 by 28 inputs${targets > 100
			? `; the first 100 of ${targets}` : ''}.`
			: targets <= 2 ? 'The weight of each synapse over the number of its source.'
				: 'A pixel is the weight from the source in its column to the target in its row; empty where no '
					+ 'synapse is, the mean where there are several.' });
	const say = (at) => fig.note(`${count(w.count ?? w.weight.length)} synapses at ${simTime(at)}.`);
	drawWeights(fig, projection, w, sources, targets);
	say(w.at_ms);
	if (times.length > 2)
		fig.foot.prepend(timeSlider(times, async (at) => {
			const then = await get(path + query({ projection, at_ms: at }));
			fig.body.replaceChildren();
			drawWeights(fig, projection, then, sources, targets);
			say(then.at_ms);
		}));
	return [fig.root];
}

function timeSlider(times, show) {
	const id = freshId('time'), last = times.length - 1;
	const value = el('output', { for: id }, simTime(times[last]));
	let busy = false, want = null;
	const slider = el('input', { id, type: 'range', min: 0, max: last, step: 1, value: last,
		oninput: async () => {
			want = times[Number(slider.value)];
			value.textContent = simTime(want);
			slider.setAttribute('aria-valuetext', value.textContent);
			if (busy)
				return;
			busy = true;
			while (want !== null) {
				const at = want;
				want = null;
				await show(at).catch(() => { want = null; });
			}
			busy = false;
		} });
	slider.setAttribute('aria-valuetext', value.textContent);
	return el('p', { class: 'slider' }, el('label', { for: id }, 'Time'), slider, value);
}

/* ---- single synapses ---- */

async function series(base, r) {
	const synapses = (r.meta?.synapses ?? []).slice(0, 12).join(',');
	const path = `${base}/weights/series${query({ projection: r.subject, synapses: synapses || '0' })}`;
	const s = await get(path), some = s.synapses.map((_, k) => k).filter((k) => s.t_ms[k].length);
	if (!some.length)
		return [];
	const fig = figure({ title: `Weight traces of ${r.subject}`, links: formats(path, ['csv', 'npz']),
		help: 'The weight of single synapses, at every update: when a presynaptic spike arrives.' });
	traces(fig, { x: 'time (ms)', y: 'weight', step: true, label: `Weights of single synapses of ${r.subject} over time`,
		list: some.map((k) => ({ label: s.source ? `${s.synapses[k]}: ${s.source[k]} → ${s.target[k]}`
			: `synapse ${s.synapses[k]}`, x: s.t_ms[k], y: s.weight[k] })) });
	return [fig.root];
}

/* Measured changes over the rule's window, in a network. */
async function pairs(base, projection) {
	const path = `${base}/stdp${query({ projection })}`;
	const answer = await get(path), dt = answer.dt_ms ?? [], dw = answer.dw ?? [];
	if (!dt.length)
		return [];
	const fig = figure({ title: `Pairs and changes in ${projection}`, links: formats(path, ['csv']),
		help: 'Every recorded change of a weight over dt = t_post − t_pre at the synapse, of the pair next to it. '
			+ 'With other spikes near, a change has more than one cause and lies off the rule’s window.' });
	const curve = answer.window ?? { dt_ms: [], dw: [] };
	const rows = [...curve.dt_ms.map((x, i) => [x, x < 0 ? curve.dw[i] : null, x > 0 ? curve.dw[i] : null, null]),
		...dt.map((x, i) => [x, null, null, dw[i]])].sort((a, b) => a[0] - b[0]);
	lines(fig, { x: 'dt = t_post − t_pre at the synapse (ms)', short: 'dt', y: 'weight change dw',
		label: `Weight changes of ${projection} over dt`, data: [0, 1, 2, 3].map((k) => rows.map((r) => r[k])),
		series: [{ label: 'window, dt < 0', colour: (t) => t.ltd, span: true },
			{ label: 'window, dt > 0', colour: (t) => t.ltp, span: true },
			{ label: 'measured', points: dt.length > 500 ? 4 : 7, colour: (t) => t.accent }] });
	fig.note(`${count(dt.length)} changes.`);
	return [fig.root];
}

/* ---- all of them ---- */

export function weightPanels(grid, part, base, list, run, spec) {
	const kinds = ['weight_histogram', 'weights', 'final_weights', 'weight_updates'];
	const mine = list.filter((r) => kinds.includes(r.kind)), jobs = [];
	for (const projection of new Set(mine.map((r) => r.subject))) {
		const of = (kind) => mine.find((r) => r.kind === kind && r.subject === projection);
		const snapshots = of('weights'), final = of('final_weights') ?? snapshots;
		const p = spec.projections?.[projection];
		const sizes = { source: spec.populations?.[p?.source]?.size, target: spec.populations?.[p?.target]?.size };
		const n = final ? columnRows(final, 'source') : 0;
		if (final && n > 1) {
			jobs.push(part(grid, async () => (n > WHOLE ? coarse(base, projection)
				: matrix(base, projection, sizes, await snapshotTimes(base, snapshots)))));
			jobs.push(part(grid, async () => (await histogram(base, projection)).out));
		}
		if (of('weight_updates')) {
			jobs.push(part(grid, () => series(base, of('weight_updates'))));
			if (list.some((r) => r.kind === 'spikes' && r.subject === p?.target))
				jobs.push(part(grid, () => pairs(base, projection)));
		}
	}
	return jobs;
}

/* Times of the snapshots of all synapses, none if only some were recorded. */
async function snapshotTimes(base, snapshots) {
	if (!snapshots || (snapshots.meta?.synapses ?? null) !== null || columnRows(snapshots, 'at') < 3)
		return [];
	return (await get(`${base}/weights/histogram${query({ projection: snapshots.subject, bins: 2 })}`)).at_ms;
}
