/* sweep_table.js - the points of a sweep as a table that is sorted by any of its columns. */
/* SPDX-License-Identifier: MIT */
import { count, el, freshId, num } from './dom.js';
import { formats } from './figure.js';
import { stateBadge } from './list.js';
import { column, textOf } from './sweep_plot.js';

const ROWS = 200; /* shown until more are asked for */

/* null comes last, whatever the order. */
function compare(a, b, down) {
	if (a === null || b === null)
		return (a === null) - (b === null);
	const order = typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), 'en', { numeric: true });
	return down ? -order : order;
}

/* What stands in the columns: {name, values, cell(row), number}. */
function columnsOf({ sweep, table, cells, metric, chosen }) {
	const source = chosen.over ? cells : table, axes = source.columns.filter((c) => c.kind === 'axis');
	const numbers = (c, digits) => ({ name: c.name, values: c.values, number: true,
		cell: (i) => (typeof c.values[i] === 'number' ? num(c.values[i], digits) : c.values[i] === null ? '–' : textOf(c.values[i])) });
	const metrics = source.columns.filter((c) => ['metric', 'mean'].includes(c.kind))
		.sort((a, b) => (b.name === metric) - (a.name === metric));
	const out = axes.map((c) => numbers(c, 6));
	if (chosen.over) {
		out.push(numbers(source.columns.find((c) => c.kind === 'count'), 6));
		for (const c of metrics) {
			const sd = column(cells, `${c.name}_sd`, ['sd']);
			out.push({ ...numbers(c, 6), cell: (i) => (c.values[i] === null ? '–' : `${num(c.values[i], 5)}${sd?.[i] === null || sd?.[i] === undefined
				? '' : ` ± ${num(sd[i], 2)}`}`) });
		}
		return out;
	}
	const runs = column(table, 'run_id'), states = column(table, 'state');
	if (sweep.seeds.length > 1)
		out.push(numbers(table.columns.find((c) => c.kind === 'seed'), 12));
	out.push({ name: 'state', values: states, cell: (i) => stateBadge(states[i]) });
	out.push(...metrics.map((c) => numbers(c, 6)));
	out.push({ name: 'run', values: runs, cell: (i) => (runs[i] && states[i] !== 'deleted'
		? el('a', { href: `#/runs/${runs[i]}` }, runs[i].slice(0, 8)) : '–') });
	return out;
}

/* The nodes of the table, its switches and links. */
export function sweepTable(ctx) {
	const { base, sweep, table, cells, metric, chosen } = ctx;
	const box = el('div', {}), id = freshId('over');
	chosen.sort ??= { name: null, down: false };
	chosen.rows ??= ROWS;

	function draw(focus) {
		const columns = columnsOf(ctx), n = columns[0].values.length, { name, down } = chosen.sort;
		const by = columns.find((c) => c.name === name), best = sweep.best;
		const order = Array.from({ length: n }, (_, i) => i);
		const isBest = (i) => best && (chosen.over ? Object.entries(best.over_seeds.axes).every(([k, v]) =>
			textOf(column(cells, k, ['axis'])[i]) === textOf(v)) : best.point === i);
		if (by)
			order.sort((a, b) => compare(by.values[a], by.values[b], down) || a - b);
		const head = (c) => el('th', { scope: 'col', class: c.number ? 'number' : null,
			'aria-sort': c.name === name ? (down ? 'descending' : 'ascending') : null },
		el('button', { type: 'button', class: 'link', 'data-sort': c.name, 'data-keep': `sort-${c.name}`, onclick: () => {
			chosen.sort = { name: c.name, down: c.name === name && !down };
			draw(c.name);
		} }, c.name, c.name === name ? el('span', { 'aria-hidden': 'true' }, down ? ' ↓' : ' ↑') : null));
		box.replaceChildren(
			el('div', { class: 'scroll', tabindex: 0, role: 'region', 'data-keep': 'points', 'aria-label': 'Points of the sweep' },
				el('table', { class: 'runs points' }, el('caption', { class: 'hidden' }, `Points of the sweep, ${metric ?? 'without a metric yet'}`),
					el('thead', {}, el('tr', {}, columns.map(head))),
					el('tbody', {}, order.slice(0, chosen.rows).map((i) => el('tr', { class: isBest(i) ? 'best' : null },
						columns.map((c, k) => el('td', { class: c.number ? 'number' : null }, k === 0 && isBest(i)
							? el('span', { class: 'tag' }, 'best') : null, k === 0 ? ' ' : null, c.cell(i)))))))),
			n > chosen.rows ? el('button', { type: 'button', class: 'button quiet', onclick: () => {
				chosen.rows += ROWS;
				draw();
			} }, `Show more of ${count(n)}`) : '');
		if (focus)
			box.querySelector(`[data-sort="${CSS.escape(focus)}"]`)?.focus();
	}
	draw();
	return [el('h2', {}, 'Points'),
		sweep.seeds.length > 1 ? el('p', { class: 'row' }, el('input', { type: 'checkbox', id, 'data-keep': 'over', checked: chosen.over, onchange: (e) => {
			chosen.over = e.target.checked;
			draw();
		} }), el('label', { for: id }, `Mean and standard deviation over ${table ? sweep.seeds.length : 0} seeds`)) : '',
		box,
		el('p', { class: 'plot-links' }, formats(`${base}/table`, ['csv', 'npz', 'ndjson', 'json']).map(([label, href]) =>
			el('a', { href, download: true, 'aria-label': `${label}: all points` }, label)))];
}
