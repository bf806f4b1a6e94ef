/* list.js - the list of runs: filter, follow, load more. */
/* SPDX-License-Identifier: MIT */
import { ended, get, problemView, query, watchTopics } from './api.js';
import { el, setTitle, when, wallTime } from './dom.js';

const STATES = ['queued', 'running', 'cancelling', 'succeeded', 'failed', 'timed_out', 'cancelled',
	'interrupted'];
const WORDS = { timed_out: 'timed out' };

export function stateBadge(state) {
	return el('span', { class: `state ${state}` }, WORDS[state] ?? state);
}

export const runName = (run) => run.name || run.preset || run.experiment || `Run ${run.id.slice(0, 8)}`;

function wall(run) {
	if (run.started_at && run.finished_at)
		return wallTime((new Date(run.finished_at) - new Date(run.started_at)) / 1000);
	if (run.state === 'running' && run.progress?.fraction >= 0)
		return `${Math.round(100 * run.progress.fraction)} %`;
	return '–';
}

function row(run) {
	return el('tr', {},
		el('td', { 'data-label': 'State' }, stateBadge(run.state)),
		el('td', { 'data-label': 'Name' }, el('a', { href: `#/runs/${run.id}` }, runName(run)),
			(run.tags ?? []).map((t) => [' ', el('span', { class: 'tag' }, t)])),
		el('td', { 'data-label': 'Created' }, when(run.created_at)),
		el('td', { 'data-label': 'Took', class: 'number', 'data-run': run.id }, wall(run)));
}

export function runTable(items) {
	return el('table', { class: 'runs' },
		el('thead', {}, el('tr', {}, ['State', 'Name', 'Created', 'Took'].map((t) =>
			el('th', { scope: 'col', class: t === 'Took' ? 'number' : null }, t)))),
		el('tbody', {}, items.map(row)));
}

export async function listPage(main) {
	setTitle('Runs');
	const state = { items: [], token: null, pages: 0, alive: true, round: 0, asking: 0,
		topics: '', stale: false, close: null };
	const body = el('div', { 'aria-live': 'off' }), trouble = el('div', {});
	const more = el('button', { class: 'button quiet', type: 'button', onclick: () => load(true) }, 'Load more');
	const search = el('input', { type: 'search', id: 'runs-q', oninput: soon,
		placeholder: 'name, tag, preset' });
	const select = el('select', { id: 'runs-state', onchange: () => load(false) },
		el('option', { value: '' }, 'any'), STATES.map((s) => el('option', { value: s }, WORDS[s] ?? s)));
	let timer = 0;

	function soon() {
		more.disabled = true; /* what is shown is not what was asked for */
		clearTimeout(timer);
		timer = setTimeout(() => load(false), 250);
	}
	async function load(next) {
		const round = ++state.round;
		state.asking += 1;
		try {
			const page = await get(`/v1/runs${query({ q: search.value.trim(), state: select.value,
				page_size: 25, page_token: next ? state.token : null })}`);
			if (round !== state.round || !state.alive)
				return;
			state.items = next ? [...state.items, ...page.items] : page.items;
			state.pages = next ? state.pages + 1 : 1;
			state.token = page.next_page_token ?? null;
			trouble.replaceChildren();
			draw();
		} catch (e) {
			if (round === state.round)
				trouble.replaceChildren(problemView(e));
		} finally {
			state.asking -= 1;
			if (round === state.round)
				more.disabled = false;
		}
	}
	function draw() {
		const filtered = search.value.trim() || select.value;
		more.hidden = !state.token;
		if (state.items.length)
			body.replaceChildren(runTable(state.items));
		else
			body.replaceChildren(el('p', { class: 'empty' }, filtered
				? 'No run matches. Change the filter to see others.'
				: ['No runs yet. ', el('a', { href: '#/' }, 'Choose a preset'), ' to start the first.']));
	}
	main.replaceChildren(el('header', { class: 'page-head' }, el('h1', { tabindex: -1 }, 'Runs')),
		el('form', { class: 'filters', role: 'search', onsubmit: (e) => e.preventDefault() },
			el('div', { class: 'field' }, el('label', { for: 'runs-q' }, 'Search'), search),
			el('div', { class: 'field' }, el('label', { for: 'runs-state' }, 'State'), select)),
		trouble, body, more);
	await load(false);
	/* Follow what still moves, as long as only the first page is shown and nobody is reading on or has just asked to: by
	 * one stream for all of them; where there is none, by asking. */
	const moving = () => (state.pages === 1 ? state.items.filter((r) => !ended(r.state)).map((r) => `run:${r.id}`) : []);
	function follow() {
		const topics = moving().join();
		if (topics === state.topics || !state.alive)
			return;
		state.close?.();
		state.topics = topics;
		state.close = topics ? watchTopics(moving(), onEvent, () => { state.topics = null; }) : null;
	}
	function onEvent(kind, data) {
		const cell = kind === 'progress' ? body.querySelector(`[data-run="${CSS.escape(data.topic.slice(4))}"]`) : null;
		if (cell)
			cell.textContent = `${Math.round(100 * data.fraction)} %`;
		state.stale ||= kind !== 'progress';
	}
	const beat = setInterval(async () => {
		if (state.asking || document.hidden || state.pages !== 1)
			return;
		if (state.stale || (state.topics === null && moving().length)) {
			state.stale = false;
			await load(false);
		}
		follow();
	}, 1000);
	return () => {
		state.alive = false;
		clearInterval(beat);
		state.close?.();
		clearTimeout(timer);
	};
}
