/* session_live.js - what a session does now: raster, rates and weights as its stream brings them. */
/* SPDX-License-Identifier: MIT */
import { query } from './api.js';
import { el, num } from './dom.js';
import { figure } from './figure.js';
import { raster } from './images.js';
import { lines } from './lines.js';

const SHOWN = 6;       /* populations, and projections, that are watched */
const WINDOW_MS = 2000; /* of the raster */
const POINTS = 600;    /* of a curve over time */

/* Names as the stream takes them: a comma within one is escaped. */
const list = (names) => names.map((name) => name.replace(/[\\,]/g, '\\$&')).join(',');

/* Names of the projections whose weights can move. */
export const plasticOf = (spec) => Object.entries(spec.projections ?? {})
	.filter(([, p]) => p.synapse?.model && !/^static/.test(p.synapse.model)).map(([name]) => name);

/* The populations whose spikes or rates the spec records; all, if it records none. */
function chosen(spec) {
	const told = [...(spec.record?.spikes ?? []), ...(spec.record?.rates ?? [])].map((r) => r.population ?? r);
	const all = Object.entries(spec.populations ?? {}), some = all.filter(([name]) => told.includes(name));
	return some.length ? some : all;
}

function rasterPlot(groups) {
	const fig = figure({ title: 'Spikes', wide: true,
		help: `The last ${WINDOW_MS / 1000} s of simulated time, since this page was opened.` });
	const show = raster(fig, groups, 0, WINDOW_MS);
	return { root: fig.root, note: fig.note,
		add(event) {
			const g = groups.find((one) => one.name === event.population);
			g.t_ms.push(...event.at_ms);
			g.neuron.push(...event.neuron);
			const from = event.t_ms - WINDOW_MS, old = g.t_ms.findIndex((t) => t >= from);
			g.t_ms.splice(0, old < 0 ? g.t_ms.length : old);
			g.neuron.splice(0, old < 0 ? g.neuron.length : old);
			show(Math.max(0, from), Math.max(WINDOW_MS, event.t_ms));
		} };
}

/* One curve a subject over simulated time; all subjects are told in turn, so a time may miss some. */
function timePlot(title, y, help, subjects) {
	const fig = figure({ title, help }), rows = new Map();
	const show = lines(fig, { x: 'time (ms)', y, label: `${title} over time`, data: [[], ...subjects.map(() => [])],
		series: subjects.map((label) => ({ label, span: true })) });
	return { root: fig.root,
		add(t_ms, subject, value) {
			if ([...rows.keys()].at(-1) > t_ms)
				rows.clear(); /* it went back to a checkpoint */
			const row = rows.get(t_ms) ?? subjects.map(() => null);
			row[subjects.indexOf(subject)] = value;
			rows.set(t_ms, row);
			while (rows.size > POINTS)
				rows.delete(rows.keys().next().value);
			const all = [...rows];
			show([all.map(([t]) => t), ...subjects.map((_, k) => all.map(([, r]) => r[k]))]);
		} };
}

function weightPlot(projection) {
	const fig = figure({ title: `Weights of ${projection}`, help: 'The distribution of now.' });
	const show = lines(fig, { x: 'weight', y: 'synapses', label: `Distribution of the weights of ${projection}`,
		paths: window.uPlot.paths.stepped({ align: 1 }), data: [[], []],
		series: [{ label: 'synapses', width: 2 }] });
	return { root: fig.root,
		add(event) {
			show([event.edges, [...event.counts, event.counts.at(-1)]]);
			fig.note(`At ${num(event.t_ms, 7)} ms: mean ${num(event.mean)}, standard deviation ${num(event.sd)}.`);
		} };
}

/* Follow a session: on.state(event), on.lost(gone: it does not try again). Puts plots into root; returns what ends it. */
export function follow(root, id, spec, on) {
	const populations = chosen(spec).slice(0, SHOWN);
	const names = populations.map(([name]) => name);
	const plastic = plasticOf(spec).slice(0, SHOWN);
	const spikes = rasterPlot(populations.map(([name, p]) => ({ name, size: p.size ?? 1, t_ms: [], neuron: [] })));
	const rates = timePlot('Firing rates', 'rate (Hz)', 'Mean over each population since the value before.', names);
	const means = plastic.length ? timePlot('Mean weights', 'weight', 'Of each plastic projection.', plastic) : null;
	const weights = new Map(plastic.map((name) => [name, weightPlot(name)]));
	root.replaceChildren(el('h2', {}, 'Live'), el('div', { class: 'plots' }, spikes.root, rates.root,
		means?.root, [...weights.values()].map((w) => w.root)));

	const source = new EventSource(`/v1/sessions/${id}/events${query({ spikes: list(names),
		rates: list(names), weights: list(plastic), max_hz: 5 })}`);
	const hear = (kind, take) => source.addEventListener(kind, (message) => take(JSON.parse(message.data)));
	hear('state', on.state);
	hear('spikes', spikes.add);
	hear('rates', (e) => rates.add(e.t_ms, e.population, e.rate_hz));
	hear('weights', (e) => {
		means.add(e.t_ms, e.projection, e.mean);
		weights.get(e.projection).add(e);
	});
	hear('gap', (e) => spikes.note(`The connection was lost for a while: ${e.dropped === null ? 'some' : e.dropped} events are missing in these `
		+ 'plots. What was recorded is complete.'));
	source.addEventListener('error', () => on.lost(source.readyState === EventSource.CLOSED));
	return () => source.close();
}
