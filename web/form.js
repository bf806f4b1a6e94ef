/* form.js - a form over a spec, made from the tables of GET /v1/models. */
/* SPDX-License-Identifier: MIT */
import { code, el, freshId, num } from './dom.js';
import { join, read, write } from './pointer.js';

const UNIT = { weight: 'weight unit', ms: 'ms', mV: 'mV', pA: 'pA', pF: 'pF', nS: 'nS', Hz: 'Hz' };
const isObject = (v) => typeof v === 'object' && v !== null && !Array.isArray(v);

/* Rows for what stands beside the models in every spec. */
const GENERAL = [
	{ name: 'duration_ms', unit: 'ms', type: 'number', min: 0, open_min: true, doc: 'Simulated time.' },
	{ name: 'resolution_ms', unit: 'ms', type: 'number', min: 0, open_min: true, default: 0.1,
		doc: 'Width of a time step; every time in the spec is a multiple of it.' },
	{ name: 'seed', unit: '', type: 'seed',
		doc: 'Same spec, same seed: the same bits, on any number of threads.' },
];
const SIZE = { name: 'size', unit: '', type: 'integer', min: 1, doc: 'Number of neurons.' };
const SYNAPSE = [
	{ name: 'weight', unit: 'weight', type: 'number',
		doc: 'Weight at the start. Its sign says whether the input excites or inhibits.' },
	{ name: 'delay_ms', unit: 'ms', type: 'number', min: 0, open_min: true, default: 1,
		doc: 'Dendritic delay: a postsynaptic spike reaches the synapse this much later.' },
	{ name: 'axonal_delay_ms', unit: 'ms', type: 'number', min: 0, default: 0,
		doc: 'Axonal delay: a presynaptic spike reaches the synapse this much later.' },
];

export const find = (list, name) => (list ?? []).find((m) => m.name === name);

/* "Above 0 to 1000 ms, default 20"; bounds that nobody meets are left out. */
export function rangeText(row) {
	const unit = UNIT[row.unit] ?? row.unit ?? '';
	const bound = (x) => (x === undefined || x === null || Math.abs(x) >= 1e5 ? null : x);
	const low = bound(row.min), high = bound(row.max), out = [];
	if (row.type === 'number' || row.type === 'integer' || row.type === 'list') {
		if (low !== null && high !== null)
			out.push(`${row.open_min ? 'above ' : ''}${num(low)} to ${row.open_max ? 'below ' : ''}${num(high)}${
				unit ? ` ${unit}` : ''}`);
		else if (low !== null)
			out.push(`${row.open_min ? 'more than' : 'at least'} ${num(low)}${unit ? ` ${unit}` : ''}`);
		else if (high !== null)
			out.push(`${row.open_max ? 'less than' : 'at most'} ${num(high)}${unit ? ` ${unit}` : ''}`);
	}
	if (row.default !== undefined && row.default !== null && typeof row.default !== 'object')
		out.push(`default ${typeof row.default === 'number' ? num(row.default) : row.default}`);
	const text = out.join(', ');
	return text && text[0].toUpperCase() + text.slice(1);
}

/* Parameters first that the spec names; the others of the table behind a fold. */
function tableFields(rows, spec, base) {
	const given = read(spec, base) ?? {};
	const visible = (rows ?? []).filter((r) => !r.hidden);
	const field = (row) => ({ row, pointer: base + join(row.name) });
	return {
		fields: visible.filter((r) => r.name in given).map(field),
		more: visible.filter((r) => !(r.name in given)).map(field),
	};
}

function experimentSections(spec, models) {
	const experiment = find(models.experiments, spec.experiment);
	const rows = (experiment?.params ?? []).filter((r) => r.type !== 'object' && !r.hidden);
	const rule = spec.params?.rule ?? find(rows, 'rule')?.default;
	const model = find(models.plasticity, rule);
	const out = [{
		title: 'Protocol', text: experiment?.doc, more: [],
		fields: [...rows.map((row) => ({ row, pointer: join('params', row.name) })),
			{ row: GENERAL[2], pointer: '/seed' }],
	}];
	if (model && find(experiment?.params, 'rule_params')) {
		const fields = tableFields(model.params, spec, '/params/rule_params');
		out.push({ title: `Rule ${model.name}`, text: model.doc, ...fields });
	}
	return out;
}

function networkSections(spec, models) {
	const out = [{
		title: 'Simulation', more: [{ row: GENERAL[1], pointer: '/resolution_ms' }],
		fields: [GENERAL[0], GENERAL[2]].map((row) => ({ row, pointer: join(row.name) })),
	}];
	for (const [name, p] of Object.entries(isObject(spec.populations) ? spec.populations : {})) {
		const base = join('populations', name), model = find(models.neurons, p?.model);
		const table = tableFields(model?.params, spec, `${base}/params`);
		out.push({
			title: `Population ${name}`, text: model ? `${model.name}: ${model.doc}` : p?.model,
			fields: [{ row: SIZE, pointer: `${base}/size` }, ...table.fields], more: table.more,
		});
	}
	for (const [name, p] of Object.entries(isObject(spec.projections) ? spec.projections : {})) {
		const base = join('projections', name), model = find(models.plasticity, p?.synapse?.model);
		const table = tableFields(model?.params, spec, `${base}/synapse/params`);
		const wiring = find(models.wiring, p?.connect?.rule);
		const wires = tableFields(wiring?.params, spec, `${base}/connect`);
		const own = SYNAPSE.map((row) => ({ row, pointer: `${base}/synapse/${row.name}` }));
		const set = (f) => read(spec, f.pointer) !== undefined;
		const beside = (models.options ?? []).filter((o) => isObject(p?.synapse?.[o.name]))
			.map((o) => tableFields(o.params, spec, `${base}/synapse/${o.name}`));
		out.push({
			title: `Projection ${name}`,
			text: `${p?.source} → ${p?.target}, ${p?.connect?.rule}. ${model ? `${model.name}: ${model.doc}` : ''}`,
			fields: [...wires.fields, ...own.filter(set), ...table.fields, ...beside.flatMap((o) => o.fields)],
			more: [...own.filter((f) => !set(f)), ...table.more, ...beside.flatMap((o) => o.more)],
		});
	}
	return out;
}

/* ---- inputs ---- */

function numberInput(ctx, pointer, row, value, props = {}) {
	return el('input', {
		type: 'number', step: row.type === 'integer' ? 1 : 'any', min: row.open_min ? null : row.min,
		max: row.open_max ? null : row.max, value: value ?? '', inputmode: 'decimal',
		placeholder: row.default === undefined || row.default === null ? 'automatic' : num(row.default, 8),
		...props,
		oninput: (e) => {
			const v = e.target.value;
			if (v !== '' || !e.target.validity.badInput)
				ctx.set(pointer, v === '' ? undefined : Number(v));
		},
	});
}

function choiceInput(ctx, pointer, choices, value, props, redraw) {
	const known = value === undefined || choices.includes(value) ? choices : [value, ...choices];
	return el('select', { ...props, onchange: (e) => ctx.set(pointer, e.target.value, redraw) },
		known.map((c) => el('option', { value: c, selected: c === value }, c)));
}

/* Every number inside a value that is no plain number: {"uniform": [10, 40]}, {"from": -100, ...}. */
function leaves(value, at = []) {
	if (typeof value === 'number')
		return [{ at, value }];
	if (typeof value !== 'object' || value === null)
		return [];
	return Object.entries(value).flatMap(([k, v]) => leaves(v, [...at, k]));
}

const LEAF = { 'uniform/0': 'uniform from', 'uniform/1': 'to' };

function compoundInput(ctx, field, value, props) {
	const parts = leaves(value);
	if (!parts.length || parts.length > 4 || Array.isArray(value))
		return el('p', { class: 'fixed', id: props.id, tabindex: -1 },
			Array.isArray(value) ? `${value.length} values` : 'a value of its own kind',
			'; edit it in the JSON below.');
	return el('div', { class: 'parts', role: 'group', 'aria-label': field.row.name, id: props.id },
		parts.map((part) => el('label', {}, el('span', {}, LEAF[part.at.join('/')] ?? part.at.join(' ')),
			numberInput(ctx, field.pointer + join(...part.at), { type: 'number' }, part.value,
				{ required: true }))));
}

function listInput(ctx, field, value, props) {
	return el('input', {
		type: 'text', ...props, value: Array.isArray(value) ? value.join(', ') : '',
		placeholder: 'automatic; or numbers with commas',
		onchange: (e) => {
			const parts = e.target.value.split(/[\s,;]+/).filter(Boolean);
			ctx.set(field.pointer, parts.length ? parts.map((p) => (Number.isNaN(Number(p)) ? p : Number(p)))
				: undefined);
		},
	});
}

/* A slice of a data set instead of numbers of its own: which, field, row, scale. */
function datasetInput(ctx, field, value) {
	const sets = ctx.datasets ?? [], using = isObject(value) && 'dataset' in value;
	const kept = ctx.kept(field.pointer, using ? undefined : value);
	const set = (patch) => ctx.set(field.pointer, patch && { ...(using ? value : {}), ...patch }, true);
	const chosen = using ? find(sets.map((s) => ({ ...s, name: s.id })), value.dataset) : null;
	const fields = chosen?.fields ?? [];
	const select = el('select', {
		'aria-label': `${field.row.name}: data set`,
		onchange: (e) => {
			const next = sets.find((s) => s.id === e.target.value);
			const f = next?.fields.find((x) => x.shape.length > 1) ?? next?.fields[0];
			if (!next)
				ctx.set(field.pointer, kept, true);
			else
				set({ dataset: next.id, field: f?.name, row: 0, scale: value?.scale ?? 0.25 });
		},
	}, el('option', { value: '' }, using ? 'back to the preset’s own values' : 'as in the preset'),
	sets.map((s) => el('option', { value: s.id, selected: using && s.id === value.dataset }, s.name || s.id)));
	const rows = fields.find((f) => f.name === value?.field)?.shape[0];
	return el('div', { class: 'parts' }, el('label', {}, el('span', {}, 'data set'), select),
		using ? [
			el('label', {}, el('span', {}, 'field'), choiceInput(ctx, `${field.pointer}/field`,
				fields.map((f) => f.name), value.field, {}, true)),
			el('label', {}, el('span', {}, rows ? `row, 0 to ${rows - 1}` : 'row'),
				numberInput(ctx, `${field.pointer}/row`, { type: 'integer', min: 0,
					max: rows ? rows - 1 : undefined }, value.row, { required: true })),
			el('label', {}, el('span', {}, 'scale'),
				numberInput(ctx, `${field.pointer}/scale`, { type: 'number' }, value.scale)),
		] : sets.length ? null : el('p', { class: 'fixed' }, 'No data set yet: ',
			el('a', { href: '#/data' }, 'upload one'), '.'));
}

function inputFor(ctx, field, value, props) {
	const { row, pointer } = field;
	if (row.type === 'enum' || row.choices)
		return choiceInput(ctx, pointer, row.choices ?? [], value ?? row.default, props);
	if (row.type === 'string' && row.name === 'rule')
		return choiceInput(ctx, pointer, ctx.rules, value ?? row.default, props, true);
	if (row.type === 'bool')
		return el('input', { type: 'checkbox', ...props, checked: value ?? row.default,
			onchange: (e) => ctx.set(pointer, e.target.checked) });
	if (row.type === 'seed')
		return el('input', { type: 'text', inputmode: 'numeric', ...props, value: value ?? '',
			oninput: (e) => ctx.set(pointer, e.target.value.trim() || undefined) });
	if (row.type === 'string')
		return el('input', { type: 'text', ...props, value: value ?? '',
			oninput: (e) => ctx.set(pointer, e.target.value || undefined) });
	if (row.type === 'times' || row.type === 'values' || (typeof value === 'object' && value !== null))
		return compoundInput(ctx, field, value, props);
	if (row.type === 'list')
		return listInput(ctx, field, value, props);
	return numberInput(ctx, pointer, row, value, props);
}

function fieldNode(ctx, field) {
	const { row, pointer } = field, id = freshId('field'), value = read(ctx.spec, pointer);
	const help = `${id}-help`, error = `${id}-error`;
	const unit = UNIT[row.unit] ?? row.unit;
	const slice = isObject(value) && 'dataset' in value;
	const takesData = slice || (Array.isArray(value) && value.length >= 64 && row.type === 'number');
	const input = slice ? null : inputFor(ctx, field, value, { id, 'aria-describedby': `${help} ${error}` });
	const range = rangeText(row);
	const node = el('div', { class: 'field', 'data-pointer': pointer },
		el('label', { for: slice ? null : id }, code(row.name), unit ? el('span', { class: 'unit' }, unit) : null),
		input, takesData ? datasetInput(ctx, field, value) : null,
		el('p', { class: 'help', id: help }, row.doc, range ? el('span', { class: 'range' }, ` ${range}.`) : null),
		el('p', { class: 'error', id: error }));
	return node;
}

/* What the tables say against the numbers in the form: [{pointer, detail}]. Some parameters of experiments are
 * checked by the server only when the run has begun; here they are told before. */
function tableErrors(spec, sections) {
	const out = [];
	for (const { row, pointer } of sections.flatMap((s) => [...s.fields, ...(s.more ?? [])])) {
		const v = read(spec, pointer), unit = UNIT[row.unit] ?? row.unit ?? '';
		if (typeof v !== 'number' || !['number', 'integer'].includes(row.type))
			continue;
		const low = row.min ?? -Infinity, high = row.max ?? Infinity;
		const below = row.open_min ? v <= low : v < low, above = row.open_max ? v >= high : v > high;
		if (below || above)
			out.push({ pointer, detail: `${row.name} must be ${below ? (row.open_min ? 'above' : 'at least')
				: (row.open_max ? 'below' : 'at most')} ${num(below ? low : high)} ${unit}, not ${num(v)} ${unit}`
				.replace(/ ,/, ',').trimEnd() });
		else if (row.type === 'integer' && !Number.isInteger(v))
			out.push({ pointer, detail: `${row.name} must be a whole number, not ${num(v)}` });
	}
	return out;
}

const sectionsOf = (spec, models) => (spec.experiment ? experimentSections(spec, models)
	: networkSections(spec, models));
/* All fields of the form, folded ones too: [{row, pointer, section}]. */
export const formFields = (spec, models) => sectionsOf(spec, models).flatMap((s) =>
	[...s.fields, ...(s.more ?? [])].map((f) => ({ ...f, section: s.title })));
export const formErrors = (spec, models) => tableErrors(spec, sectionsOf(spec, models));

/* Build the form into `root`. ctx: {spec, models, datasets, changed(redraw)}. */
export function buildForm(root, { spec, models, datasets, keep, changed }) {
	const open = new Set([...root.querySelectorAll('details[open]')].map((d) => d.dataset.title));
	const ctx = {
		spec, datasets,
		rules: models.plasticity.filter((m) => m.plastic !== false).map((m) => m.name),
		kept(pointer, value) {
			if (value !== undefined && !keep.has(pointer))
				keep.set(pointer, value);
			return keep.get(pointer);
		},
		set(pointer, value, redraw) {
			write(spec, pointer, value);
			if (pointer === '/params/rule')
				write(spec, '/params/rule_params', undefined);
			changed(Boolean(redraw));
		},
	};
	root.replaceChildren(...sectionsOf(spec, models).map((s) => el('fieldset', { class: 'section' },
		el('legend', {}, s.title), s.text ? el('p', { class: 'section-text' }, s.text) : null,
		el('div', { class: 'fields' }, s.fields.map((f) => fieldNode(ctx, f))),
		s.more?.length ? el('details', { 'data-title': s.title, open: open.has(s.title) },
			el('summary', {}, `${s.more.length} more, at ${s.more.length === 1 ? 'its default' : 'their defaults'}`),
			el('div', { class: 'fields' }, s.more.map((f) => fieldNode(ctx, f)))) : null)));
}

/* Mark fields by errors whose pointer lies at or in them. */
export function markErrors(root, errors) {
	for (const node of root.querySelectorAll('.field')) {
		const at = node.dataset.pointer;
		const mine = errors.filter((e) => e.pointer === at || e.pointer?.startsWith(`${at}/`));
		node.classList.toggle('bad', mine.length > 0);
		node.querySelector('.error').textContent = mine.map((e) => e.detail).join(' ');
		for (const input of node.querySelectorAll('input, select'))
			input.setAttribute('aria-invalid', String(mine.length > 0));
		if (mine.length)
			node.closest('details')?.setAttribute('open', '');
	}
}
