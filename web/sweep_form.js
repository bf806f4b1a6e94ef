/* sweep_form.js - which values of which parameters, and which seeds: the part of a launch that makes a sweep. */
/* SPDX-License-Identifier: MIT */
import { count, el, freshId, num } from './dom.js';
import { formFields, rangeText } from './form.js';
import { read, write } from './pointer.js';

const KINDS = [['list', 'these values'], ['step', 'from, to, in steps of'], ['count', 'from, to, so many'],
	['log', 'from, to, so many, on a log scale']];
const OTHER = '?'; /* a place that the form does not know */

/* A word as JSON has it, or the word itself. */
function valueOf(word) {
	try {
		return JSON.parse(word);
	} catch {
		return word;
	}
}
const words = (text) => text.split(',').map((w) => w.trim()).filter(Boolean);
const textOf = (v) => (typeof v === 'string' ? v : JSON.stringify(v));

/* What the server will make of it, as far as it can be told here. */
function countOf(values) {
	if (Array.isArray(values))
		return values.length;
	if (values.count !== undefined)
		return values.count;
	return Math.floor((values.to - values.from) / values.step + 1e-9) + 1;
}

const labelled = (text, input) => {
	input.id ||= freshId('sweep');
	return el('div', { class: 'field' }, el('label', { for: input.id }, text), input);
};
const number = (value, onchange, props = {}) => el('input', { type: 'number', step: 'any', value, oninput: onchange, ...props });

/* One axis: {root, read(), mark(errors)}; ctx: {fields(), spec(), changed(), remove(axis)}. */
function axisRow(ctx, given) {
	const place = el('select', { onchange: moved }), other = el('input', { type: 'text', oninput: ctx.changed,
		placeholder: '/populations/cell/params/tau_m' });
	const kind = el('select', { onchange: draw }, KINDS.map(([v, t]) => el('option', { value: v }, t)));
	const list = el('input', { type: 'text', oninput: ctx.changed, placeholder: '10, 20, 40' });
	const from = number(0, ctx.changed), to = number(1, ctx.changed), step = number(0.5, ctx.changed);
	const many = number(5, ctx.changed, { min: 1, step: 1 });
	const otherField = labelled('JSON Pointer into the spec', other), parts = el('div', { class: 'parts fields' });
	const help = el('p', { class: 'help' }), error = el('p', { class: 'error', role: 'alert' });
	const remove = el('button', { type: 'button', class: 'button quiet small', onclick: () => ctx.remove(axis) }, 'Remove');
	const root = el('fieldset', { class: 'axis' }, el('legend', {}, 'Parameter'), el('div', { class: 'fields' },
		labelled('Parameter', place), otherField, labelled('Values', kind), parts), help, error, remove);
	const axis = { root, read: readAxis, mark, offer };

	function path() {
		return place.value === OTHER ? other.value.trim() : place.value;
	}
	function offer() {
		const groups = new Map(), was = place.value || given?.path;
		for (const f of ctx.fields())
			groups.set(f.section, [...(groups.get(f.section) ?? []), f]);
		place.replaceChildren(...[...groups].map(([title, fields]) => el('optgroup', { label: title }, fields.map((f) =>
			el('option', { value: f.pointer }, f.row.name)))), el('option', { value: OTHER }, 'another place …'));
		if (was && was !== OTHER && ctx.fields().every((f) => f.pointer !== was)) {
			place.value = OTHER;
			other.value = was;
		} else if (was) {
			place.value = was;
		}
	}
	/* Another parameter: begin around what it is now. */
	function moved() {
		const now = read(ctx.spec(), path()) ?? ctx.fields().find((f) => f.pointer === path())?.row.default;
		if (typeof now === 'number') {
			list.value = [now / 2, now, now * 2].map((v) => num(v, 8)).join(', ');
			[from.value, to.value, step.value] = [now / 2, now * 2, now / 2];
		} else {
			const row = ctx.fields().find((f) => f.pointer === path())?.row;
			list.value = (row?.choices ?? (row?.type === 'bool' ? [false, true] : [now ?? ''])).map(textOf).join(', ');
			kind.value = 'list';
		}
		draw();
	}
	function draw() {
		const field = ctx.fields().find((f) => f.pointer === path()), now = read(ctx.spec(), path()) ?? field?.row.default;
		const range = field ? rangeText(field.row) : '';
		otherField.hidden = place.value !== OTHER;
		parts.replaceChildren(...(kind.value === 'list' ? [labelled('Values, with commas between', list)]
			: [labelled('From', from), labelled('To', to), kind.value === 'step' ? labelled('Step', step)
				: labelled('How many', many)]));
		root.querySelector('legend').textContent = field ? `${field.row.name} of ${field.section}` : path() || 'Parameter';
		help.textContent = [field?.row.doc, now === undefined || now === null ? '' : `Now ${textOf(now)}.`,
			range ? `${range}.` : ''].filter(Boolean).join(' ');
		ctx.changed();
	}
	function readAxis() {
		const ends = { from: Number(from.value), to: Number(to.value) };
		const values = kind.value === 'list' ? words(list.value).map(valueOf)
			: kind.value === 'step' ? { ...ends, step: Number(step.value) }
				: { ...ends, count: Number(many.value), ...(kind.value === 'log' ? { log: true } : {}) };
		return { path: path(), values };
	}
	function mark(errors) {
		error.textContent = errors.map((e) => e.detail).join(' ');
		for (const input of root.querySelectorAll('input, select'))
			input.setAttribute('aria-invalid', String(errors.length > 0));
	}
	function fill({ values }) {
		kind.value = 'list';
		list.value = values.map(textOf).join(', ');
	}
	offer();
	if (given) {
		fill(given);
		draw();
	} else {
		moved();
	}
	return axis;
}

/* The panel: {root, body(spec), mark(errors), offer(), fill(sweep)}. start(): send it. */
export function sweepPanel({ models, spec, limit, start, open }) {
	const axes = [], rows = el('div', {}), size = el('p', { class: 'estimate', 'aria-live': 'polite' });
	const from = number(1, changed, { min: 0, step: 1 }), many = number(1, changed, { min: 1, step: 1 });
	const metric = el('input', { type: 'text', placeholder: 'the score of its runs' });
	const best = el('select', {}, el('option', { value: 'max' }, 'largest'), el('option', { value: 'min' }, 'smallest'));
	const reuse = el('input', { type: 'checkbox', id: freshId('sweep'), checked: true });
	const error = el('p', { class: 'error', role: 'alert' });
	const button = el('button', { type: 'button', class: 'button', onclick: start }, 'Start the sweep');
	const ctx = {
		spec, changed,
		fields: () => formFields(spec(), models).filter((f) => f.row.type !== 'seed' && f.row.type !== 'list'
			&& f.row.type !== 'times' && f.row.type !== 'values'),
		remove(axis) {
			axes.splice(axes.indexOf(axis), 1);
			axis.root.remove();
			changed();
		},
	};

	function add(given) {
		const axis = axisRow(ctx, given);
		axes.push(axis);
		rows.append(axis.root);
		changed();
		return axis;
	}
	function seeds() {
		return { from: Number(from.value), count: Number(many.value) };
	}
	function changed() {
		const counts = axes.map((a) => countOf(a.read().values)), n = counts.reduce((a, b) => a * b, seeds().count);
		const text = [...counts.map((c) => `${count(c)} values`), `${count(seeds().count)} ${seeds().count === 1 ? 'seed' : 'seeds'}`];
		size.textContent = Number.isFinite(n) && n > 0
			? `${text.join(' × ')} = ${count(n)} ${n === 1 ? 'run' : 'runs'}${n > limit ? `; at most ${count(limit)} are allowed` : ''}.` : '';
		button.disabled = axes.length === 0 && seeds().count < 2;
	}
	/* The request, and the spec with all places there that axes are set in. */
	function body() {
		const full = structuredClone(spec());
		for (const { path } of axes.map((a) => a.read())) {
			const parent = path.slice(0, path.lastIndexOf('/'));
			if (parent && read(full, parent) === undefined)
				write(full, parent, {});
		}
		const out = { axes: axes.map((a) => a.read()), seeds: seeds() };
		if (metric.value.trim())
			Object.assign(out, { metric: metric.value.trim(), best: best.value });
		return { body: out, spec: full, headers: reuse.checked ? { Prefer: 'reuse' } : {} };
	}
	function mark(errors) {
		axes.forEach((a, i) => a.mark(errors.filter((e) => (`${e.pointer}/`).startsWith(`/axes/${i}/`))));
		error.textContent = errors.filter((e) => e.pointer === '/axes' || /^\/(seeds|metric|best)/.test(e.pointer ?? ''))
			.map((e) => e.detail).join(' ');
	}
	const root = el('details', { class: 'editor sweep-form', open },
		el('summary', {}, 'Sweep over values and seeds'),
		el('p', { class: 'help' }, 'The same spec with every combination of these values, each with every seed. The runs are queued a few at ',
			'a time, and the sweep goes on by itself, even after the server was stopped.'),
		rows,
		el('p', {}, el('button', { type: 'button', class: 'button quiet small', onclick: () => add().root.querySelector('select').focus() },
			'Add a parameter')),
		el('div', { class: 'fields' }, labelled('First seed', from), labelled('How many seeds', many),
			labelled('Best by metric', metric), labelled('Best is', best)),
		el('p', { class: 'row' }, reuse, el('label', { for: reuse.id }, 'Take stored runs of the same spec where there are any')),
		error, size, el('p', {}, button));
	changed();
	return {
		root, body, mark,
		offer: () => axes.forEach((a) => a.offer()),
		fill(sweep) {
			sweep.axes.forEach(add);
			from.value = sweep.seeds[0];
			many.value = sweep.seeds.length;
			metric.value = sweep.metric ?? '';
			best.value = sweep.goal ?? 'max';
			changed();
		},
		addFirst: () => axes.length || add(),
	};
}
