/* figure.js - frames for plots: title, help, colours of the theme, redraw on resize. */
/* SPDX-License-Identifier: MIT */
import { query } from './api.js';
import { el } from './dom.js';

const live = new Set();
const darkQuery = matchMedia('(prefers-color-scheme: dark)');

function redrawAll() {
	for (const plot of live) {
		if (plot.body.isConnected)
			plot.draw();
		else
			live.delete(plot);
	}
}
darkQuery.addEventListener('change', redrawAll);

/* The page was left: let its plots go. */
export function forgetPlots() {
	for (const plot of live)
		plot.end?.();
	live.clear();
}

/* Colours of now, from the style sheet. */
export function theme() {
	const style = getComputedStyle(document.documentElement);
	const v = (name) => style.getPropertyValue(name).trim();
	return {
		dark: darkQuery.matches,
		ink: v('--ink'), muted: v('--muted'), line: v('--line'), panel: v('--panel'),
		ltp: v('--ltp'), ltd: v('--ltd'), accent: v('--accent'),
		series: [1, 2, 3, 4, 5, 6, 7, 8].map((i) => v(`--series-${i}`)),
		font: `12px ${v('--sans')}`,
		heat: darkQuery.matches ? HEAT_DARK : HEAT_LIGHT,
	};
}

/* Sequential maps whose zero is near the panel's colour. */
const HEAT_LIGHT = [[252, 251, 247], [208, 226, 226], [120, 180, 190], [44, 116, 150],
	[22, 62, 110], [16, 24, 60]];
const HEAT_DARK = [[25, 30, 39], [25, 62, 94], [24, 112, 128], [72, 166, 140], [178, 209, 138],
	[252, 243, 186]];

/* Colour of x in [0, 1]. */
export function heatColour(stops, x) {
	const at = Math.min(Math.max(x, 0), 1) * (stops.length - 1);
	const i = Math.min(Math.floor(at), stops.length - 2), f = at - i;
	return stops[i].map((c, k) => Math.round(c + f * (stops[i + 1][k] - c)));
}

/* A <figure>: put the plot into .body; note(text) writes below it. */
export function figure({ title, help, wide, links = [], level = 'h3' }) {
	const body = el('div', { class: 'plot-body' });
	const noteNode = el('p', { class: 'plot-note' });
	const foot = el('div', { class: 'plot-foot' }, noteNode,
		links.length ? el('p', { class: 'plot-links' }, links.map(([label, href]) =>
			el('a', { href, download: true, 'aria-label': `${label}: ${title}` }, label))) : null);
	const root = el('figure', { class: wide ? 'plot wide' : 'plot' },
		el('figcaption', {}, el(level, {}, title), help ? el('p', { class: 'help' }, help) : null),
		body, foot);
	return { root, body, foot, note: (text) => noteNode.replaceChildren(text) };
}

/* Call draw(width) now and whenever the width or the theme changes; end() when the page is left. Returns a
 * function that draws again, for new data. */
export function keepDrawn(body, draw, end) {
	let width = 0;
	const plot = { body, end, draw: () => width && draw(width) };
	live.add(plot);
	new ResizeObserver(() => {
		const now = Math.floor(body.clientWidth);
		if (now && now !== width) {
			width = now;
			draw(width);
		}
	}).observe(body);
	return plot.draw;
}

/* About n round values in [min, max]. */
export function ticks(min, max, n) {
	const span = max - min;
	if (!(span > 0))
		return [min];
	const raw = span / Math.max(1, n), power = 10 ** Math.floor(Math.log10(raw));
	const step = power * [1, 2, 5, 10].find((m) => m * power >= raw * 0.999);
	const out = [];
	for (let k = Math.ceil(min / step - 1e-9); k * step <= max + step * 1e-9; k += 1)
		out.push(Number((k * step).toPrecision(12)));
	return out;
}

/* Links to the same data in each format. */
export function formats(path, list = ['csv', 'npz', 'json']) {
	return list.map((f) => [f.toUpperCase(), path + (path.includes('?') ? '&' : '?') + query({ format: f }).slice(1)]);
}
