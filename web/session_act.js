/* session_act.js - forms that act upon a session: spikes, parameters, plasticity, reward; its checkpoints. */
/* SPDX-License-Identifier: MIT */
import { getOnce, get, post } from './api.js';
import { bytes, el, freshId, num, when } from './dom.js';
import { plasticOf } from './session_live.js';

function field(label, input) {
	input.id = freshId('act');
	return el('div', { class: 'field' }, el('label', { for: input.id }, label), input);
}
const number = (value, props = {}) => el('input', { type: 'number', step: 'any', required: true, value, ...props });
const choice = (names, onchange) => el('select', { onchange }, names.map((n) => el('option', { value: n }, n)));

/* A form whose button sends what entry() makes. */
function act(title, button, parts, entry, send) {
	return el('form', { class: 'filters act', 'aria-label': title,
		onsubmit: (event) => {
			event.preventDefault();
			send(entry());
		} }, parts, el('div', { class: 'field end' }, el('button', { class: 'button small', type: 'submit' }, button)));
}

function spikesForm(populations, send) {
	const to = choice(populations), neurons = el('input', { type: 'text', placeholder: 'all', pattern: '[0-9, ]*' });
	const weight = number('', { required: false, placeholder: 'its own' });
	return act('Send spikes', 'Send spikes', [field('Spikes to', to), field('Neurons (0, 3, 7)', neurons),
		field('Weight', weight)], () => {
		const spikes = { population: to.value }, list = neurons.value.split(/[ ,]+/).filter(Boolean).map(Number);
		if (list.length)
			spikes.neurons = list;
		if (weight.value !== '')
			spikes.weight = Number(weight.value);
		return ['stimuli', { spikes }];
	}, send);
}

/* Populations and projections, with the parameters of their models that are numbers. */
function setForm(spec, models, send) {
	const rows = [...Object.entries(spec.populations ?? {}).map(([name, p]) => ({ kind: 'population', name,
		model: models.neurons.find((m) => m.name === p.model), now: p.params })),
	...Object.entries(spec.projections ?? {}).map(([name, p]) => ({ kind: 'projection', name,
		model: models.plasticity.find((m) => m.name === p.synapse?.model), now: p.synapse?.params }))]
		.filter((r) => r.model?.params?.length);
	if (!rows.length)
		return null;
	const of = choice(rows.map((r) => r.name), params), param = el('select', { onchange: show }), value = number('');
	const label = el('span', {});
	const row = () => rows[of.selectedIndex];
	function params() {
		param.replaceChildren(...row().model.params.map((p) => el('option', { value: p.name }, p.name)));
		show();
	}
	function show() {
		const p = row().model.params[param.selectedIndex], now = row().now?.[p.name] ?? p.default;
		value.value = typeof now === 'number' ? now : '';
		label.textContent = p.unit ? `Value (${p.unit})` : 'Value';
	}
	params();
	const last = field('', value);
	last.querySelector('label').append(label);
	return act('Set a parameter', 'Set', [field('Of', of), field('Parameter', param), last], () =>
		['parameters', { set: { [row().kind]: of.value, params: { [param.value]: Number(value.value) } } }], send);
}

function plasticityForm(projections, send) {
	const which = choice(['all', ...projections]), on = choice(['off', 'on']);
	return act('Switch plasticity', 'Switch', [field('Plasticity of', which), field('is', on)], () =>
		['parameters', { plasticity: { ...(which.selectedIndex ? { projection: which.value } : {}),
			on: on.value === 'on' } }], send);
}

function rewardForm(projections, send) {
	const which = choice(projections), amount = number('0.5');
	return act('Give a reward', 'Give', [field('Reward to', which), field('Amount', amount)], () =>
		['stimuli', { reward: { projection: which.value, amount: Number(amount.value) } }], send);
}

/* send([command, body]) */
export async function actPanel(spec, send) {
	const models = await getOnce('/v1/models');
	const plastic = plasticOf(spec), dopamine = plastic.filter((n) => /dopamine/.test(spec.projections[n].synapse.model));
	const cells = Object.entries(spec.populations ?? {}).filter(([, p]) => !/generator|pattern/.test(p.model))
		.map(([n]) => n);
	return el('details', {}, el('summary', {}, 'Act upon it'),
		cells.length ? spikesForm(cells, send) : null, setForm(spec, models, send),
		plastic.length ? plasticityForm(plastic, send) : null,
		dopamine.length ? rewardForm(dopamine, send) : null);
}

/* The table of checkpoints; restore(checkpoint) is told which. Returns {root, load}. */
export function checkpointPanel(base, restore) {
	const root = el('div', {});
	async function load() {
		const { items } = await get(`${base}/checkpoints`);
		root.replaceChildren(...(items.length ? [el('h2', {}, 'Checkpoints'), el('table', { class: 'runs' },
			el('thead', {}, el('tr', {}, ['At', 'Size', 'Saved', 'Action'].map((t) => el('th', { scope: 'col' }, t)))),
			el('tbody', {}, items.map((c) => el('tr', {},
				el('td', { 'data-label': 'At' }, `${num(c.t_ms, 8)} ms`),
				el('td', { 'data-label': 'Size' }, bytes(c.bytes)),
				el('td', { 'data-label': 'Created' }, when(c.created_at)),
				el('td', {}, el('button', { class: 'button quiet small', type: 'button',
					'aria-label': `Go back to ${num(c.t_ms, 8)} ms`, onclick: () => restore(c) }, 'Go back'),
				' ', el('button', { class: 'button quiet small', type: 'button',
					'aria-label': `New session from ${num(c.t_ms, 8)} ms`, onclick: async () => {
						const made = await post('/v1/sessions', { from_checkpoint: c.id });
						location.hash = `#/sessions/${made.id}`;
					} }, 'New session'))))))] : []));
	}
	return { root, load };
}
