/* run.js - the page of one run: state, progress, actions, facts; its plots come from results.js. */
/* SPDX-License-Identifier: MIT */
import { attemptIn, del, ended, get, patch, post, problemView, watchRun } from './api.js';
import { code, confirmDialog, count, el, num, say, setTitle, simTime, wallTime, when } from './dom.js';
import { runName, stateBadge } from './list.js';
import { resultPanels } from './results.js';

const WHAT = {
	queued: 'Waits for its turn.', running: 'Runs.', cancelling: 'Is being stopped.',
	succeeded: 'Done.', failed: 'Failed.', cancelled: 'Was cancelled; what it had recorded until then is kept.',
	timed_out: 'Reached its limit of time; what it had recorded until then is kept.',
	interrupted: 'The server stopped; the run goes on when it is back.',
};

/* The factor is wall time over simulated time. */
export function speedText(factor) {
	if (!(factor > 0))
		return '–';
	return factor <= 1 ? `${num(1 / factor, 2)} × faster than real time`
		: `${num(factor, 2)} × slower than real time`;
}

function facts(title, pairs, cls = '') {
	const shown = pairs.filter(([, v]) => v !== null && v !== undefined && v !== '');
	return shown.length ? el('section', { class: `facts ${cls}` }, el('h3', {}, title),
		el('dl', {}, shown.map(([k, v]) => [el('dt', {}, k), el('dd', {}, v)]))) : null;
}

/* What the provenance repeats of the run. */
const ELSEWHERE = /^(seed|digest|id|state|partial|wall_s|model_ms|duration_ms|(counts|metrics)\..*)$/;

/* Nested provenance as dotted names. */
function flat(value, at = '') {
	if (Array.isArray(value))
		return [[at, value.join(', ')]];
	if (typeof value !== 'object' || value === null)
		return value === null ? [] : [[at, typeof value === 'number' ? num(value, 8) : String(value)]];
	return Object.entries(value).flatMap(([k, v]) => flat(v, at ? `${at}.${k}` : k));
}

function progressPanel(run, progress) {
	const p = progress ?? run.progress ?? {}, known = p.fraction >= 0;
	const bar = el('progress', { max: 1, 'aria-label': 'Progress of the run' });
	if (known && run.state !== 'queued')
		bar.value = p.fraction;
	const items = run.state === 'queued'
		? [['Position in the queue', run.queue_position ?? '–']]
		: [['Simulated', `${simTime(p.t_ms ?? 0)} of ${simTime(p.duration_ms ?? 0)}`],
			['Wall time', wallTime(p.wall_s)], ['Speed', speedText(p.real_time_factor)],
			['Left', p.eta_s === null || p.eta_s === undefined ? '–' : `about ${wallTime(p.eta_s)}`]];
	return el('section', { class: 'progress' }, bar,
		el('dl', { class: 'inline' }, items.map(([k, v]) => el('div', {}, el('dt', {}, k), el('dd', {}, v)))));
}

/* Whatever its size, as a person reads it; an open side says so. */
function range(t) {
	if (t.low === null || t.high === null)
		return t.low === null ? `at most ${num(t.high, 4)}` : `at least ${num(t.low, 4)}`;
	return `${num(t.low, 4)} to ${num(t.high, 4)}`;
}

/* What an experiment had to reach, its score, and what it has to say. */
function targetsPanel(run) {
	const list = run.targets ?? [], remarks = run.remarks ?? [], s = run.score, passed = list.filter((t) => t.pass).length;
	const cell = (t) => (t.value === null ? '–' : num(t.value, 5));
	if (!list.length && !remarks.length && !s)
		return '';
	return el('section', { class: 'targets' }, el('h2', {}, 'Targets'),
		s ? el('p', {}, 'Score: ', code(s.name), ` ${cell(s)} ${s.unit}`, el('br'), s.reference) : '',
		remarks.length ? el('ul', { class: 'remarks' }, remarks.map((r) => el('li', {}, r))) : '',
		list.length ? el('div', { class: 'scroll' }, el('table', {},
			el('caption', {}, `${passed} of ${list.length} reached`),
			el('thead', {}, el('tr', {}, ['Target', 'Ours', 'Range', 'Unit', 'Reached']
				.map((h) => el('th', { scope: 'col' }, h)))),
			el('tbody', {}, list.map((t) => el('tr', { class: t.pass ? 'pass' : 'miss' },
				el('th', { scope: 'row' }, code(t.name)), el('td', {}, cell(t)), el('td', {}, range(t)),
				el('td', {}, t.unit), el('td', {}, t.pass ? 'yes' : 'no')))))) : '');
}

export async function runPage(main, id) {
	const base = `/v1/runs/${id}`;
	let run = await get(base), stop = null, progress = null;
	const head = el('header', { class: 'page-head' }), trouble = el('div', { 'aria-live': 'polite' });
	const moving = el('div', {}), targets = el('div', {}), results = el('div', {}), about = el('div', { class: 'about' });
	const heading = el('h1', { tabindex: -1 });
	const actions = el('div', { class: 'row actions' });
	const rename = el('form', { class: 'row rename', hidden: true, onsubmit: saveName });
	const status = el('p', { class: 'status', 'aria-live': 'polite' });

	head.append(heading, rename, status, actions);
	main.replaceChildren(head, trouble, moving, targets, results, about);

	const attempt = attemptIn(trouble);
	async function saveName(event) {
		event.preventDefault();
		const changed = await attempt(() => patch(base, { name: rename.querySelector('input').value.trim() }));
		if (changed) {
			run = { ...run, ...changed };
			rename.hidden = true;
			drawHead();
			say('Renamed.');
			actions.querySelector('.act-rename')?.focus();
		}
	}
	function openRename() {
		const input = el('input', { id: 'new-name', type: 'text', value: run.name ?? '', maxlength: 200 });
		rename.replaceChildren(el('label', { for: 'new-name' }, 'Name'), input,
			el('button', { class: 'button small', type: 'submit' }, 'Save'),
			el('button', { class: 'button quiet small', type: 'button',
				onclick: () => { rename.hidden = true; } }, 'Leave it'));
		rename.hidden = false;
		input.focus();
	}
	async function cancel() {
		if (await attempt(() => post(`${base}/cancel`, {})))
			say('Cancelling.');
	}
	async function rerun() {
		const next = await attempt(() => post(`${base}/rerun`, {}));
		if (next)
			location.hash = `#/runs/${next.id}`;
	}
	async function remove() {
		if (!await confirmDialog('Delete this run?', 'Its spec and all its results are deleted for good.', 'Delete it'))
			return;
		const done = await attempt(async () => {
			await del(base);
			return true;
		});
		if (done)
			location.hash = '#/runs';
	}
	function button(label, onclick, cls) {
		return el('button', { type: 'button', class: `button ${cls}`, onclick }, label);
	}
	function drawHead() {
		setTitle(runName(run));
		heading.textContent = runName(run);
		status.replaceChildren(stateBadge(run.state), ' ', WHAT[run.state] ?? '', ' ',
			'Created ', when(run.created_at), '.',
			...(run.sweep ? [' Part of ', el('a', { href: `#/sweeps/${run.sweep}` }, 'a sweep'), '.'] : []),
			...(run.tags ?? []).flatMap((t) => [' ', el('span', { class: 'tag' }, t)]));
		const over = ended(run.state);
		actions.replaceChildren(
			over ? '' : button('Cancel', cancel, 'danger'),
			over ? button('Run again', rerun, '') : '',
			el('a', { class: 'button quiet', href: `#/from/${id}` }, 'Edit and run'),
			el('a', { class: 'button quiet', href: `#/sweep/from/${id}` }, 'Sweep'),
			button('Rename', openRename, 'quiet act-rename'),
			over ? button('Delete', remove, 'quiet') : '');
	}
	function drawMoving() {
		const panel = ended(run.state) ? null : progressPanel(run, progress);
		moving.replaceChildren(panel ?? '');
		if (run.error)
			moving.append(problemView({ title: run.error.title ?? 'The run failed',
				message: run.error.detail ?? run.error.text ?? '', errors: run.error.errors ??
					(run.error.pointer ? [{ pointer: run.error.pointer, detail: '' }] : []) }));
	}
	async function drawEnd() {
		targets.replaceChildren(targetsPanel(run));
		drawAbout();
		await resultPanels(results, run);
	}
	async function drawAbout() {
		const [provenance, log] = await Promise.all([get(`${base}/provenance`).catch(() => ({})),
			fetch(`${base}/log`).then((r) => (r.ok ? r.text() : '')).catch(() => '')]);
		const p = run.progress ?? {};
		about.replaceChildren(el('h2', {}, 'About this run'), el('div', { class: 'fact-grid' },
			facts('Metrics', Object.entries(run.metrics ?? {}).map(([k, v]) => [code(k), num(v, 6)])),
			facts('Counts', Object.entries(run.counts ?? {}).map(([k, v]) => [k.replace(/_/g, ' '), count(v)])),
			facts('Time', [['Simulated', simTime(p.t_ms ?? 0)], ['Wall time', wallTime(p.wall_s)],
				['Speed', speedText(p.real_time_factor)]]),
			facts('Provenance', [['seed', run.seed], ['digest', run.digest && code(run.digest)],
				...flat(provenance).filter(([k, v]) => v !== '' && !ELSEWHERE.test(k))
					.map(([k, v]) => [code(k), el('span', { class: 'break' }, v)])], 'wide')),
		logText(log) ? el('details', {}, el('summary', {}, 'Log'), el('pre', { tabindex: 0 }, logText(log))) : '',
		el('p', { class: 'plot-links' }, 'The run as data: ',
			[['spec', 'spec'], ['provenance', 'provenance'], ['result manifest', 'results']].map(([label, path]) =>
				[el('a', { href: `${base}/${path}` }, `${label} (JSON)`), ' '])));
	}
	function onRun(next) {
		const was = run.state;
		run = next;
		drawHead();
		drawMoving();
		if (ended(run.state) && !ended(was)) {
			say(`The run ${run.state === 'succeeded' ? 'succeeded' : `ended: ${run.state}`}.`);
			drawEnd();
		}
	}

	drawHead();
	drawMoving();
	if (ended(run.state))
		drawEnd();
	else
		stop = watchRun(id, {
			run: onRun,
			progress(p) {
				progress = p;
				if (!ended(run.state))
					drawMoving();
			},
			trouble: (e) => trouble.replaceChildren(problemView(e)),
		});
	return () => stop?.();
}

/* The log as lines, whether it comes as text or as JSON. */
function logText(log) {
	try {
		const data = JSON.parse(log), lines = data.lines ?? data.log ?? data.text ?? [];
		return Array.isArray(lines) ? lines.map((l) => (typeof l === 'string' ? l : l.text ?? JSON.stringify(l)))
			.join('\n') : String(lines);
	} catch {
		return log;
	}
}
