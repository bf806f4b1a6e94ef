/* sweeps.js - sweeps: their list, and the page of one: progress, the best point, plot and table of a metric. */
/* SPDX-License-Identifier: MIT */
import { attemptIn, del, get, post, watchTopics } from './api.js';
import { code, confirmDialog, count, el, freshId, num, say, setTitle, wallTime, when } from './dom.js';
import { stateBadge } from './list.js';
import { sweepPlot, textOf } from './sweep_plot.js';
import { sweepTable } from './sweep_table.js';

const WHAT = {
	running: 'Goes on.', cancelling: 'Is being stopped.', finished: 'All its runs have ended.',
	cancelled: 'Was cancelled; the runs that it had until then are kept.',
};
const RELOAD_MS = 1500; /* of table and plot while it goes on */

const nameOf = (s) => s.name || s.preset || s.experiment || `Sweep ${s.id.slice(0, 8)}`;
const isOver = (s) => s.finished_at !== null;

/* ---- the list ---- */

export async function sweepsPage(main) {
	setTitle('Sweeps');
	let { items, next_page_token: token } = await get('/v1/sweeps');
	const trouble = el('div', {}), body = el('tbody', {}), attempt = attemptIn(trouble);
	const more = el('button', { type: 'button', class: 'button quiet', onclick: async () => {
		const page = await attempt(() => get(`/v1/sweeps?page_token=${token}`));
		if (page) {
			items = [...items, ...page.items];
			token = page.next_page_token;
			draw();
		}
	} }, 'Load more');
	const row = (s) => el('tr', {},
		el('td', { 'data-label': 'State' }, stateBadge(s.state)),
		el('td', { 'data-label': 'Name' }, el('a', { href: `#/sweeps/${s.id}` }, nameOf(s)),
			' ', el('span', { class: 'small' }, s.axes.map((a) => a.name).join(', '))),
		el('td', { 'data-label': 'Points', class: 'number' }, `${count(s.progress.done)} of ${count(s.progress.points)}`),
		el('td', { 'data-label': 'Created' }, when(s.created_at)));
	function draw() {
		body.replaceChildren(...items.map(row));
		more.hidden = !token;
	}
	draw();
	main.replaceChildren(
		el('header', { class: 'page-head' }, el('h1', { tabindex: -1 }, 'Sweeps'),
			el('p', { class: 'lead' }, 'A sweep is one spec over a grid of values and seeds: it shows how a result depends on what was chosen, ',
				'and how much it varies by chance.')),
		trouble,
		...(items.length ? [el('table', { class: 'runs' },
			el('thead', {}, el('tr', {}, ['State', 'Name', 'Points', 'Created'].map((t) =>
				el('th', { scope: 'col', class: t === 'Points' ? 'number' : null }, t)))), body), more]
			: [el('p', { class: 'empty' }, 'No sweeps yet. ', el('a', { href: '#/' }, 'Choose an experiment'),
				' and open “Sweep over values and seeds”.')]));
}

/* ---- one ---- */

function progressPanel(p) {
	const bar = el('progress', { max: 1, value: p.fraction, 'aria-label': 'Progress of the sweep' });
	const items = [['Points done', `${count(p.done)} of ${count(p.points)}`], ['Running', count(p.running)],
		['Queued', count(p.queued)], ['To come', count(p.pending)], ['Wall time', wallTime(p.wall_s)],
		['Left', p.eta_s === null ? '–' : `about ${wallTime(p.eta_s)}`]];
	bar.value = p.fraction;
	return el('section', { class: 'progress' }, bar,
		el('dl', { class: 'inline' }, items.map(([k, v]) => el('div', {}, el('dt', {}, k), el('dd', {}, v)))));
}

const valuesText = (axes) => Object.entries(axes).flatMap(([k, v], i) => [i ? ', ' : '', code(k), ` = ${textOf(v)}`]);

function bestPanel(sweep) {
	const b = sweep.best;
	if (!b)
		return el('p', { class: 'help' }, isOver(sweep) ? 'No run has left this metric.' : 'No run has ended yet.');
	const word = b.goal === 'min' ? 'Smallest' : 'Largest', seeds = sweep.seeds.length > 1;
	return el('section', { class: 'facts best' }, el('h3', {}, 'Best point'),
		el('p', {}, `${word} `, code(b.metric), ': ', el('strong', { class: 'best-value' }, num(b.value, 6)), ' at ',
			valuesText(b.axes), `, seed ${b.seed}. `, el('a', { href: `#/runs/${b.run_id}` }, 'Its run'), '.'),
		seeds ? el('p', {}, `${word} mean over seeds: `, el('strong', {}, num(b.over_seeds.mean, 6)),
			b.over_seeds.n > 1 ? ` ± ${num(b.over_seeds.sd, 3)} (standard deviation, ${b.over_seeds.n} seeds)` : '', ' at ',
			valuesText(b.over_seeds.axes), '.') : null);
}

/* What is varied, where it stands in the spec. */
function gridPanel(sweep) {
	const base = `/v1/sweeps/${sweep.id}`;
	return el('section', { class: 'about' }, el('h2', {}, 'About this sweep'),
		el('div', { class: 'facts' }, el('h3', {}, 'Grid'), el('dl', { class: 'params' },
			sweep.axes.map((a) => [el('dt', {}, code(a.name)), el('dd', {}, el('code', { class: 'break' }, a.path), ': ',
				a.values.map(textOf).join(', '))]),
			el('dt', {}, 'seeds'), el('dd', {}, sweep.seeds.join(', ')))),
		el('p', { class: 'plot-links' }, 'The sweep as data: ', [['sweep', base], ['spec', `${base}/spec`],
			['its runs', `/v1/runs?sweep=${sweep.id}`]].map(([label, href]) => [el('a', { href }, `${label} (JSON)`), ' '])));
}

/* How its runs have ended, where not all is well. */
function troubleText(c) {
	const parts = ['failed', 'timed_out', 'cancelled', 'deleted'].filter((k) => c[k]).map((k) => `${count(c[k])} ${k.replace('_', ' ')}`);
	return [parts.length ? ` ${parts.join(', ')}.` : '', c.reused ? ` ${count(c.reused)} taken from stored runs.` : ''];
}

export async function sweepPage(main, id) {
	const base = `/v1/sweeps/${id}`;
	let sweep = await get(base), table = null, cells = null, close = null, timer = 0, alive = true;
	const chosen = { metric: null, goal: null, over: false };
	const trouble = el('div', { 'aria-live': 'polite' }), status = el('p', { class: 'status' }), actions = el('div', { class: 'row actions' });
	const moving = el('div', {}), best = el('div', {}), plot = el('div', { class: 'plots' }), rows = el('section', {});
	const metric = el('select', { id: freshId('metric'), onchange: choose });
	const goal = el('select', { id: freshId('goal'), onchange: choose }, el('option', { value: 'max' }, 'largest'),
		el('option', { value: 'min' }, 'smallest'));
	const choice = el('div', { class: 'filters' },
		el('div', { class: 'field' }, el('label', { for: metric.id }, 'Metric'), metric),
		el('div', { class: 'field narrow' }, el('label', { for: goal.id }, 'Best is'), goal));
	const attempt = attemptIn(trouble);

	function drawHead() {
		setTitle(nameOf(sweep));
		status.replaceChildren(stateBadge(sweep.state), ' ', WHAT[sweep.state] ?? '', ...troubleText(sweep.counts), ' Created ',
			when(sweep.created_at), '.', ...sweep.tags.flatMap((t) => [' ', el('span', { class: 'tag' }, t)]));
		actions.replaceChildren(
			isOver(sweep) ? '' : el('button', { type: 'button', class: 'button danger', onclick: cancel }, 'Cancel'),
			el('a', { class: 'button quiet', href: `#/sweep/again/${id}` }, 'Change and start again'),
			isOver(sweep) ? el('button', { type: 'button', class: 'button quiet', onclick: remove }, 'Delete') : '');
		moving.replaceChildren(isOver(sweep) ? '' : progressPanel(sweep.progress));
	}
	function drawMetrics() {
		const names = table.columns.filter((c) => c.kind === 'metric').map((c) => c.name);
		const now = chosen.metric ?? sweep.metric ?? sweep.best?.metric ?? names[0];
		if (names.join() !== [...metric.options].map((o) => o.value).join())
			metric.replaceChildren(...names.map((n) => el('option', { value: n }, n)));
		metric.value = now;
		goal.value = chosen.goal ?? sweep.best?.goal ?? 'max';
		choice.hidden = !names.length;
	}
	/* Who is reading or choosing there goes on where he was. */
	function swap(node, children) {
		const at = node.contains(document.activeElement) ? document.activeElement : null, key = at?.dataset.keep;
		const left = node.querySelector('.scroll')?.scrollLeft ?? 0;
		if (at?.tagName === 'SELECT' && !isOver(sweep))
			return;
		node.replaceChildren(...children);
		if (left)
			node.querySelector('.scroll').scrollLeft = left;
		if (key)
			node.querySelector(`[data-keep="${CSS.escape(key)}"]`)?.focus();
	}
	function drawResults() {
		best.replaceChildren(bestPanel(sweep));
		swap(plot, sweepPlot({ base, sweep, table, cells, metric: metric.value }));
		swap(rows, sweepTable({ base, sweep, table, cells, metric: metric.value, chosen }));
		rows.dataset.ready = '';
	}
	async function load() {
		const wants = chosen.metric ? `?metric=${encodeURIComponent(chosen.metric)}${chosen.goal ? `&goal=${chosen.goal}` : ''}` : '';
		const all = await attempt(async () => { /* the state first: when that is final, so are the tables */
			const now = await get(base + wants);
			return [now, ...await Promise.all([get(`${base}/table`), get(`${base}/table?over=seeds`)])];
		});
		if (!all || !alive)
			return;
		const was = sweep.state;
		[sweep, table, cells] = all;
		drawMetrics();
		if (!sweep.best && metric.value) /* its runs leave no score: the first metric will do */
			sweep = (await attempt(() => get(`${base}?metric=${encodeURIComponent(metric.value)}`))) ?? sweep;
		if (!alive)
			return;
		drawHead();
		drawResults();
		if (was !== sweep.state && isOver(sweep))
			say(`The sweep has ${sweep.state === 'finished' ? 'finished' : 'been cancelled'}.`);
	}
	function choose(event) {
		chosen.metric = metric.value;
		chosen.goal = event.target === goal ? goal.value : null;
		load();
	}
	/* Soon, and not more often than it can be read. */
	function soon(ms) {
		timer ||= setTimeout(async () => {
			await load();
			timer = 0;
		}, ms);
	}
	async function cancel() {
		if (await attempt(() => post(`${base}/cancel`, {})))
			say('Cancelling.');
	}
	async function remove() {
		if (!await confirmDialog('Delete this sweep?', 'The sweep and its runs with all their results are deleted for good; pinned runs and '
			+ 'runs of other sweeps stay.', 'Delete it'))
			return;
		if (await attempt(async () => {
			await del(`${base}?runs=delete`);
			return true;
		}))
			location.hash = '#/sweeps';
	}
	main.replaceChildren(el('header', { class: 'page-head' }, el('h1', { tabindex: -1 }, nameOf(sweep)), status, actions), trouble,
		moving, el('h2', {}, 'Result'), choice, best, plot, rows, gridPanel(sweep));
	drawHead();
	await load();
	if (!isOver(sweep))
		close = watchTopics([`sweep:${id}`], (kind, data) => {
			if (kind === 'progress' && !isOver(sweep))
				moving.replaceChildren(progressPanel(data));
			soon(kind === 'state' ? 0 : RELOAD_MS);
		}, () => soon(RELOAD_MS));
	return () => {
		alive = false;
		close?.();
		clearTimeout(timer);
	};
}
