/* main.js - routes of the page: what stands behind the # decides what is shown. */
/* SPDX-License-Identifier: MIT */
import { get, problemView } from './api.js';
import { dataPage } from './data.js';
import { el, setTitle } from './dom.js';
import { forgetPlots } from './figure.js';
import { launchPage, presetCards } from './launch.js';
import { listPage, runTable } from './list.js';
import { modelsPage } from './models.js';
import { runPage } from './run.js';
import { sessionPage, sessionsPage } from './sessions.js';
import { sweepPage, sweepsPage } from './sweeps.js';

async function homePage(main) {
	setTitle('');
	const cards = el('div', {}), recent = el('div', {});
	main.replaceChildren(
		el('header', { class: 'page-head hero' },
			el('h1', { tabindex: -1 }, 'Synapses that learn from timing'),
			el('p', { class: 'lead' }, 'stdpd simulates spiking networks with spike-timing-dependent plasticity on ',
				'its own engine and keeps every run. Choose an experiment, change what you like, launch it, and see ',
				'how the weights move.')),
		el('section', {}, el('h2', {}, 'Experiments'), cards,
			el('p', {}, el('a', { href: '#/new' }, 'Or write a spec of your own'))),
		el('section', {}, el('h2', {}, 'Latest runs'), recent));
	const show = async (place, load) => {
		try {
			place.replaceChildren(await load());
		} catch (e) {
			place.replaceChildren(problemView(e));
		}
	};
	await Promise.all([show(cards, presetCards), show(recent, async () => {
		const { items } = await get('/v1/runs?page_size=5');
		return items.length ? runTable(items)
			: el('p', { class: 'empty' }, 'No runs yet. The first STDP curve takes a second.');
	})]);
}

const ROUTES = [
	[/^\/$/, homePage, 'home'],
	[/^\/new$/, (main) => launchPage(main, 'empty'), 'home'],
	[/^\/new\/([^/]+)$/, (main, name) => launchPage(main, 'preset', name), 'home'],
	[/^\/from\/([0-9a-f]+)$/, (main, id) => launchPage(main, 'run', id), 'runs'],
	[/^\/sweep\/new\/([^/]+)$/, (main, name) => launchPage(main, 'preset', name, true), 'sweeps'],
	[/^\/sweep\/from\/([0-9a-f]+)$/, (main, id) => launchPage(main, 'run', id, true), 'sweeps'],
	[/^\/sweep\/again\/([0-9a-f]+)$/, (main, id) => launchPage(main, 'sweep', id, true), 'sweeps'],
	[/^\/sweeps$/, sweepsPage, 'sweeps'],
	[/^\/sweeps\/([0-9a-f]+)$/, sweepPage, 'sweeps'],
	[/^\/runs$/, listPage, 'runs'],
	[/^\/runs\/([0-9a-f]+)$/, runPage, 'runs'],
	[/^\/sessions$/, sessionsPage, 'sessions'],
	[/^\/sessions\/([0-9a-f]+)$/, sessionPage, 'sessions'],
	[/^\/data$/, dataPage, 'data'],
	[/^\/models$/, modelsPage, 'models'],
];

let dispose = null, turn = 0;

async function route(event) {
	const path = location.hash.slice(1) || '/', mine = ++turn;
	const main = el('main', { id: 'main', 'aria-busy': 'true' }, el('p', { class: 'loading' }, 'Loading…'));
	dispose?.();
	dispose = null;
	forgetPlots();
	document.getElementById('main').replaceWith(main);
	const found = ROUTES.map(([pattern, page, tab]) => ({ match: pattern.exec(path), page, tab })).find((r) => r.match);
	for (const a of document.querySelectorAll('nav a'))
		if (a.dataset.tab === found?.tab)
			a.setAttribute('aria-current', 'page');
		else
			a.removeAttribute('aria-current');
	let cleanup = null;
	try {
		if (found)
			cleanup = await found.page(main, ...found.match.slice(1).map(decodeURIComponent));
		else
			throw Object.assign(new Error('This page has nothing at that address.'), { title: 'Nothing here' });
	} catch (e) {
		setTitle(e.title);
		main.replaceChildren(el('h1', { tabindex: -1 }, e.status === 404 ? 'Not found' : 'That did not work'),
			problemView(e), el('p', {}, el('a', { href: '#/' }, 'To the start')));
	}
	main.removeAttribute('aria-busy');
	if (mine !== turn) {
		cleanup?.();
		return;
	}
	dispose = cleanup;
	if (event) {
		window.scrollTo(0, 0);
		main.querySelector('h1')?.focus({ preventScroll: true });
	}
}

/* The skip link must not be taken for a route. */
document.querySelector('.skip').addEventListener('click', (event) => {
	event.preventDefault();
	const heading = document.querySelector('main h1');
	heading?.focus();
	heading?.scrollIntoView();
});
window.addEventListener('hashchange', route);
route();

get('/v1').then((about) => {
	document.getElementById('version').textContent = about.version ? `stdpd ${about.version}` : 'stdpd';
}).catch(() => {});
