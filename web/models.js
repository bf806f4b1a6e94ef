/* models.js - the catalogue: every model and rule with its parameters. */
/* SPDX-License-Identifier: MIT */
import { getOnce } from './api.js';
import { code, el, setTitle } from './dom.js';
import { rangeText } from './form.js';

const KINDS = [['plasticity', 'Plasticity rules'], ['options', 'Beside the rule'], ['neurons', 'Neurons and inputs'],
	['wiring', 'Wiring'], ['experiments', 'Experiments']];

function parameters(rows) {
	return el('dl', { class: 'params' }, rows.filter((r) => !r.hidden).map((r) => [
		el('dt', {}, code(r.name), r.unit ? el('span', { class: 'unit' }, r.unit) : null),
		el('dd', {}, r.doc, r.choices ? ` One of ${r.choices.join(', ')}.` : '',
			el('span', { class: 'range' }, rangeText(r) ? ` ${rangeText(r)}.` : ''))]));
}

function sets(rows) {
	if (!rows?.length)
		return null;
	return [el('h3', {}, 'Named sets'), el('dl', { class: 'params' }, rows.map((r) => [
		el('dt', {}, code(r.name)),
		el('dd', {}, r.doc, el('span', { class: 'range' },
			` ${Object.entries(r.params).map(([k, v]) => `${k} ${v}`).join(', ')}`))]))];
}

function model(m) {
	const doi = /^(?:doi:)?(10\.\S+)/.exec(m.cite ?? '');
	return el('details', { class: 'model' },
		el('summary', {}, code(m.name), el('span', { class: 'help' }, ` ${m.title ?? ''} ${m.doc ?? ''}`)),
		m.cite ? el('p', { class: 'help' }, 'After ', doi
			? el('a', { href: `https://doi.org/${doi[1]}`, rel: 'noreferrer' }, `doi:${doi[1]}`) : m.cite) : null,
		parameters(m.params ?? []), sets(m.sets));
}

export async function modelsPage(main) {
	setTitle('Models');
	const models = await getOnce('/v1/models');
	main.replaceChildren(
		el('header', { class: 'page-head' }, el('h1', { tabindex: -1 }, 'Models'),
			el('p', { class: 'lead' }, 'What a spec may name, from the tables that validate it.')),
		...KINDS.filter(([kind]) => models[kind]?.length).map(([kind, title]) =>
			el('section', {}, el('h2', {}, title), models[kind].map(model))));
}
