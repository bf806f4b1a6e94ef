/* results.js - what a run has recorded, as plots. */
/* SPDX-License-Identifier: MIT */
import { get, problemView, query } from './api.js';
import { count, el, num } from './dom.js';
import { figure, formats } from './figure.js';
import { traces } from './lines.js';
import { raster } from './images.js';
import { tables } from './tables.js';
import { weightPanels } from './weights.js';

const POINTS = 20000; /* spikes shown of a population */
const SAMPLES = 2000; /* points of a trace */

/* ---- spikes, rates, states ---- */

async function spikes(base, list, spec, run) {
	const parts = await Promise.all(list.map((r) => get(`${base}/spikes${query({ population: r.subject,
		max_points: POINTS })}`)));
	const t1 = run.progress?.duration_ms || spec.duration_ms || Math.max(...parts.flatMap((p) => p.t_ms), 1);
	const groups = parts.map((p, i) => ({ name: list[i].subject, t_ms: p.t_ms, neuron: p.neuron, count: p.count,
		size: list[i].meta?.size ?? spec.populations?.[list[i].subject]?.size ?? Math.max(0, ...p.neuron) + 1 }));
	const fig = figure({ title: 'Spikes', wide: true,
		help: 'One dot is one spike: time to the right, neurons upward, one band for each population.',
		links: list.flatMap((r) => formats(`${base}/spikes${query({ population: r.subject })}`, ['csv', 'npz'])
			.map(([f, href]) => [`${r.subject} ${f}`, href])) });
	if (groups.some((g) => g.t_ms.length))
		raster(fig, groups, 0, t1);
	else
		fig.body.append(el('p', { class: 'empty' }, 'No spike was recorded.'));
	fig.note(`${groups.map((g) => `${g.name}: ${count(g.count)} spikes${g.t_ms.length < g.count
		? `, ${count(g.t_ms.length)} of them drawn` : ''}`).join('; ')}.`);
	return [fig.root];
}

async function rates(base, recorded, spikeList, spec, run) {
	const named = new Set(recorded.map((r) => r.subject));
	const subjects = [...named, ...spikeList.map((r) => r.subject).filter((s) => !named.has(s))];
	const dt = spec.resolution_ms ?? 0.1, steps = Math.max(Math.round(10 / dt), Math.round((run.progress?.t_ms ?? 0) / dt / 100));
	const bin = Number((Math.max(1, steps) * dt).toPrecision(12));
	const parts = await Promise.all(subjects.map((s) => get(`${base}/rates${query({ population: s,
		bin_ms: named.has(s) ? null : bin })}`)));
	const shown = parts.filter((p) => p.t_ms.length > 1);
	if (!shown.length)
		return [];
	const fig = figure({ title: 'Firing rates', help: `Mean over each population, in bins of ${[...new Set(
		shown.map((p) => num(p.bin_ms)))].join(' and ')} ms.`,
	links: shown.flatMap((p) => formats(`${base}/rates${query({ population: p.population, bin_ms: p.bin_ms })}`,
		['csv']).map(([f, href]) => [`${p.population} ${f}`, href])) });
	traces(fig, { x: 'time (ms)', y: 'rate (Hz)', label: `Firing rates of ${subjects.join(', ')}`,
		list: shown.map((p) => ({ label: p.population, x: p.t_ms, y: p.rate_hz })) });
	return [fig.root];
}

/* The neurons a recorder was told to watch; the manifest leaves long lists out. */
function asked(spec, r) {
	const recorder = (spec.record?.states ?? []).find((s) => s.population === r.subject
		&& s.variables?.includes(r.name));
	return recorder?.neurons ?? [0];
}

async function states(base, list, spec) {
	const out = [];
	for (const r of list) {
		const path = `${base}/states/${encodeURIComponent(r.name)}`;
		const all = r.meta?.neurons ?? asked(spec, r), neurons = all.slice(0, 8).join(',');
		const s = await get(path + query({ population: r.subject, neurons, max_points: SAMPLES }));
		const unit = s.unit ? ` (${s.unit})` : '';
		const fig = figure({ title: `${r.name} of ${r.subject}`,
			help: all.length > 8 ? `The first 8 of ${all.length} recorded neurons.` : '',
			links: formats(path + query({ population: r.subject }), ['csv', 'npz']) });
		traces(fig, { x: 'time (ms)', y: `${r.name}${unit}`, label: `${r.name} of ${r.subject} over time`,
			list: s.neurons.map((n, k) => ({ label: `neuron ${n}`, x: s.t_ms, y: s.values[k] })) });
		out.push(fig.root);
	}
	return out;
}

/* ---- all of it ---- */

/* Fill a section as its parts arrive; one that fails says so in its place. */
async function part(root, load) {
	const place = el('div', { class: 'plot loading', 'aria-busy': 'true' }, 'Loading…');
	root.append(place);
	try {
		place.replaceWith(...await load());
	} catch (e) {
		place.classList.remove('loading');
		place.removeAttribute('aria-busy');
		place.replaceChildren(problemView(e));
	}
}

export async function resultPanels(root, run, base = `/v1/runs/${run.id}`) {
	const grid = el('div', { class: 'plots' });
	root.replaceChildren(el('h2', {}, 'Results'), grid);
	let manifest, spec;
	try {
		[manifest, spec] = await Promise.all([get(`${base}/results`), get(`${base}/spec`)]);
	} catch (e) {
		grid.append(problemView(e));
		return;
	}
	spec = spec.spec ?? spec;
	const list = manifest.recordings ?? manifest.items ?? [], of = (kind) => list.filter((r) => r.kind === kind);
	if (run.partial || manifest.partial)
		grid.before(el('p', { class: 'warning' }, 'The run did not reach its end: these results are partial.'));
	if (!list.length) {
		grid.append(el('p', { class: 'empty' }, run.state === 'succeeded'
			? 'Nothing was recorded. Name what you want to see under “record” in the spec.'
			: 'No results were kept.'));
		return;
	}
	const jobs = [];
	if (of('table').length)
		jobs.push(part(grid, () => tables(base, of('table'), spec)));
	jobs.push(...weightPanels(grid, part, base, list, run, spec));
	if (of('spikes').length)
		jobs.push(part(grid, () => spikes(base, of('spikes'), spec, run)));
	if (of('rates').length || of('spikes').length)
		jobs.push(part(grid, () => rates(base, of('rates'), of('spikes'), spec, run)));
	if (of('states').length)
		jobs.push(part(grid, () => states(base, of('states'), spec)));
	await Promise.all(jobs);
	root.dataset.ready = 'true';
}
