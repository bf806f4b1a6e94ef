/* sessions.js - live sessions: their list, and the page on which one is driven and watched. */
/* SPDX-License-Identifier: MIT */
import { attemptIn, del, get, post } from './api.js';
import { confirmDialog, el, freshId, num, say, setTitle, when } from './dom.js';
import { stateBadge } from './list.js';
import { resultPanels } from './results.js';
import { actPanel, checkpointPanel } from './session_act.js';
import { follow } from './session_live.js';

const WHAT = {
	ready: 'Stands and waits.', stepping: 'Makes a step.', playing: 'Plays.',
	parked: 'Parked: its process is gone, what it is told next wakes it.',
	failed: 'Failed; go back to a checkpoint.',
};
const MODES = { paused: 'ready' };
const SPEEDS = [['as fast as it can', 0], ['real time', 1], ['a tenth of real time', 0.1], ['ten times real time', 10]];

const nameOf = (s) => s.name || s.preset || `Session ${s.id.slice(0, 8)}`;

/* ---- the list ---- */

export async function sessionsPage(main) {
	setTitle('Sessions');
	const { items } = await get('/v1/sessions');
	const row = (s) => el('tr', {},
		el('td', { 'data-label': 'State' }, stateBadge(s.state)),
		el('td', { 'data-label': 'Name' }, el('a', { href: `#/sessions/${s.id}` }, nameOf(s))),
		el('td', { 'data-label': 'Time' }, `${num(s.t_ms, 8)} ms`),
		el('td', { 'data-label': 'Created' }, when(s.created_at)));
	main.replaceChildren(
		el('header', { class: 'page-head' }, el('h1', { tabindex: -1 }, 'Sessions'),
			el('p', { class: 'lead' }, 'A session is a network that lives: it is stepped or played, stimulated and ',
				'changed while it goes, forked, and saved as a run when something came of it.')),
		items.length ? el('table', { class: 'runs' },
			el('thead', {}, el('tr', {}, ['State', 'Name', 'Time', 'Created'].map((t) =>
				el('th', { scope: 'col' }, t)))),
			el('tbody', {}, items.map(row)))
			: el('p', { class: 'empty' }, 'No sessions yet. ', el('a', { href: '#/' }, 'Choose a network'),
				' and open it as a session.'));
}

/* ---- one ---- */

export async function sessionPage(main, id) {
	const base = `/v1/sessions/${id}`;
	let [session, spec] = await Promise.all([get(base), get(`${base}/spec`)]);
	spec = spec.spec ?? spec;
	setTitle(nameOf(session));
	const trouble = el('div', { 'aria-live': 'polite' }), live = el('section', {}), recorded = el('section', {});
	const badge = el('span', {}), words = el('span', {}), clock = el('strong', { class: 'clock' });
	const attempt = attemptIn(trouble);
	const duration = el('input', { type: 'number', id: freshId('step'), min: 0, step: 'any', value: 100 });
	const speed = el('select', { 'aria-label': 'Speed' }, SPEEDS.map(([text, x]) => el('option', { value: x }, text)));
	const points = checkpointPanel(base, (c) => command('restore', { checkpoint_id: c.id }));
	const buttons = {};

	function draw() {
		badge.replaceChildren(stateBadge(session.state));
		words.textContent = session.error?.detail ?? WHAT[session.state] ?? '';
		clock.textContent = `${num(session.t_ms, 8)} ms`;
		clock.dataset.t = session.t_ms;
		const moves = session.state === 'playing' || session.state === 'stepping';
		buttons.step.disabled = buttons.play.disabled = moves;
		buttons.pause.disabled = !moves;
	}
	async function command(name, body = {}) {
		const reply = await attempt(() => post(`${base}/${name}`, body));
		const now = await attempt(() => get(base));
		if (now)
			session = now;
		draw();
		if (reply)
			await points.load().catch(() => {});
		return reply;
	}
	async function step() {
		session = { ...session, state: 'stepping' };
		draw();
		await command('step', { duration_ms: Number(duration.value) });
	}
	async function fork() {
		const made = await command('fork', { name: `Fork of ${nameOf(session)}`.slice(0, 200) });
		if (made)
			location.hash = `#/sessions/${made.id}`;
	}
	async function save() {
		const run = await command('save');
		if (run)
			location.hash = `#/runs/${run.id}`;
	}
	async function remove() {
		if (await confirmDialog('Delete this session?', 'Its process ends; its checkpoints and what it recorded go. '
			+ 'What was saved as a run stays.', 'Delete it') && await attempt(async () => {
			await del(base);
			return true;
		}))
			location.hash = '#/sessions';
	}
	async function showRecorded() {
		recorded.replaceChildren(el('p', { class: 'loading' }, 'Loading…'));
		const now = await attempt(() => get(base));
		const progress = { t_ms: now?.t_ms, duration_ms: now?.t_ms };
		await resultPanels(recorded, { ...session, state: 'succeeded', progress }, base);
	}
	function button(key, label, onclick, cls = 'quiet') {
		buttons[key] = el('button', { type: 'button', class: `button ${cls}`, onclick }, label);
		return buttons[key];
	}
	function onState(event) {
		const mode = event.state.mode;
		session = { ...session, state: MODES[mode] ?? mode, t_ms: event.t_ms };
		draw();
	}

	const act = await actPanel(spec, async ([what, body]) => {
		if (await command(what, body))
			say('Done.');
	});
	main.replaceChildren(
		el('header', { class: 'page-head' }, el('h1', { tabindex: -1 }, nameOf(session)),
			el('p', { class: 'status', 'aria-live': 'polite' }, badge, ' ', words),
			el('p', {}, 'Its time: ', clock, session.parent ? [', forked from ',
				el('a', { href: `#/sessions/${session.parent}` }, 'another'), '.'] : null),
			el('div', { class: 'row actions' },
				el('label', { for: duration.id }, 'Step by (ms)'), el('span', { class: 'narrow' }, duration),
				button('step', 'Step', step, ''),
				el('span', { class: 'narrow' }, speed), button('play', 'Play', () => command('play', { speed: Number(speed.value) }), ''),
				button('pause', 'Pause', () => command('pause'), 'danger')),
			el('div', { class: 'row actions' },
				button('fork', 'Fork', fork), button('checkpoint', 'Save a checkpoint', () => command('checkpoints')),
				button('save', 'Save as a run', save), button('delete', 'Delete', remove))),
		trouble, act, live, points.root,
		el('p', {}, button('recorded', 'Show what it has recorded', showRecorded)), recorded);
	draw();
	await attempt(points.load);
	return follow(live, id, spec, {
		state: onState,
		lost: (gone) => gone && attempt(async () => {
			session = await get(base);
			draw();
		}),
	});
}
