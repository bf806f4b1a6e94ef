/* launch.js - from a preset or an old run to a new run: form, JSON editor, validation. */
/* SPDX-License-Identifier: MIT */
import { get, getOnce, post, Problem, problemView } from './api.js';
import { bytes, code, count, el, rich, say, setTitle, svg } from './dom.js';
import { buildForm, formErrors, markErrors } from './form.js';
import { changes, lineOf, locate } from './pointer.js';
import { sweepPanel } from './sweep_form.js';

const EMPTY = { duration_ms: 1000, seed: '1', populations: {}, projections: {}, record: {} };

/* Where we start from: {title, text, look, spec, preset?}. */
async function start(kind, name) {
	if (kind === 'preset') {
		const p = await getOnce(`/v1/presets/${encodeURIComponent(name)}`);
		return { ...presetTexts(p), spec: p.spec, preset: p.name };
	}
	if (kind === 'run') {
		const [run, spec] = await Promise.all([get(`/v1/runs/${name}`), get(`/v1/runs/${name}/spec`)]);
		return { title: `Again: ${run.name || run.preset || 'a run'}`, spec: spec.spec ?? spec,
			text: 'The spec of an earlier run, to change and send again.' };
	}
	if (kind === 'sweep') {
		const [sweep, spec] = await Promise.all([get(`/v1/sweeps/${name}`), get(`/v1/sweeps/${name}/spec`)]);
		return { title: `Again: ${sweep.name || sweep.preset || 'a sweep'}`, spec, sweep,
			text: 'The spec and the grid of an earlier sweep, to change and start again.' };
	}
	return { title: 'A spec of your own', spec: EMPTY,
		text: 'Write or paste a spec as JSON; the form follows what stands there.' };
}

export function presetTexts(p) {
	const look = p.look ?? p.look_at ?? p.what_to_look_at ?? '';
	return { title: p.title ?? p.name, text: p.text ?? p.doc ?? p.description ?? '',
		look: Array.isArray(look) ? look.join(' ') : look };
}

/* Pointers into our request body, as pointers into the spec. */
function inSpec(errors, overrides) {
	return errors.map((e) => {
		const at = e.pointer ?? '', override = /^\/overrides\/(\d+)(?:\/value)?/.exec(at);
		if (override && overrides?.[override[1]])
			return { ...e, pointer: overrides[override[1]].path + at.slice(override[0].length) };
		return { ...e, pointer: at.startsWith('/spec') ? at.slice(5) : at };
	});
}

const looksLike = (text) => /^\s*(\{[\s\S]*\})\s*$/.test(text);

/* Errors of what the sweep adds to the spec. */
const ofSweep = (pointer) => /^\/(axes|seeds|metric|best)(\/|$)/.test(pointer ?? '');

/* sweep: the part that makes a sweep is open from the start. */
export async function launchPage(main, kind, name, sweep = false) {
	const [from, models, sets, about] = await Promise.all([start(kind, name), getOnce('/v1/models'),
		get('/v1/datasets').catch(() => ({ items: [] })), getOnce('/v1')]);
	setTitle(from.title);
	const state = { spec: structuredClone(from.spec), broken: null, round: 0, timer: 0 };
	const keep = new Map();
	const form = el('div', { class: 'form' });
	const problems = el('div', { class: 'problems', 'aria-live': 'polite' });
	const estimate = el('p', { class: 'estimate', 'aria-live': 'polite' });
	const nameInput = el('input', { id: 'run-name', type: 'text', maxlength: 200, placeholder: from.title });
	const tagsInput = el('input', { id: 'run-tags', type: 'text', placeholder: 'comma, separated' });
	const button = el('button', { class: 'button', type: 'button', onclick: launch }, 'Launch');
	const live = el('button', { class: 'button quiet', type: 'button', onclick: openSession }, 'Open as a session');
	const editor = el('textarea', { id: 'spec-json', spellcheck: false, autocomplete: 'off', rows: 24,
		'aria-describedby': 'spec-help', oninput: edited });
	const details = el('details', { class: 'editor', open: kind === 'empty' },
		el('summary', {}, 'The spec as JSON'),
		el('p', { class: 'help', id: 'spec-help' }, 'Form and text are one spec: what you change here, ',
			'the form shows, and the other way round.'),
		el('label', { class: 'hidden', for: 'spec-json' }, 'Spec, JSON'), editor);

	const panel = sweepPanel({ models, spec: () => state.spec, limit: about.limits?.sweep_points ?? Infinity,
		start: startSweep, open: sweep || Boolean(from.sweep) });

	function jump(pointer) {
		if (ofSweep(pointer))
			return null;
		return () => {
			const field = form.querySelector(`[data-pointer="${CSS.escape(pointer)}"] :is(input, select)`);
			if (field) {
				field.closest('details')?.setAttribute('open', '');
				field.focus();
				return;
			}
			details.open = true;
			const at = locate(editor.value, pointer);
			editor.focus();
			editor.setSelectionRange(at, Math.max(at, editor.value.indexOf('\n', at)));
			editor.scrollTop = Math.max(0, lineOf(editor.value, at) - 5) *
				parseFloat(getComputedStyle(editor).lineHeight);
		};
	}
	function show(error, overrides) {
		const errors = inSpec(error.errors ?? [], overrides);
		markErrors(form, errors);
		panel.mark(errors);
		const named = errors.map((e) => (e.pointer && !state.broken && !ofSweep(e.pointer) ? { ...e,
			detail: `(line ${lineOf(editor.value, locate(editor.value, e.pointer))}) ${e.detail}` } : e));
		const shown = Object.assign(new Error(error.message), { title: error.title, errors: named,
			detail: error.detail });
		problems.replaceChildren(problemView(shown, jump));
		estimate.textContent = '';
	}
	async function validate() {
		const round = ++state.round;
		if (state.broken)
			return show(state.broken);
		try {
			const answer = await post('/v1/specs/validate', { spec: state.spec });
			if (round !== state.round)
				return null;
			const errors = withLocal(inSpec(answer.errors ?? []));
			if (errors.length)
				return show({ title: 'The spec is not valid yet', message: '', errors });
			markErrors(form, []);
			panel.mark([]);
			problems.replaceChildren(...(answer.warnings ?? []).map((w) =>
				el('p', { class: 'warning' }, w.detail ?? String(w))));
			estimate.replaceChildren(...costText(answer.estimate));
		} catch (e) {
			if (round === state.round)
				show(e);
		}
		return null;
	}
	function soon() {
		clearTimeout(state.timer);
		state.timer = setTimeout(validate, 250);
	}
	function rebuild() {
		live.hidden = Boolean(state.spec.experiment);
		buildForm(form, { spec: state.spec, models, datasets: sets.items, keep, changed });
		panel.offer();
	}
	function changed(redraw) {
		editor.value = JSON.stringify(state.spec, null, 2);
		state.broken = null;
		if (redraw)
			refocus(form, rebuild);
		soon();
	}
	function edited() {
		try {
			const spec = JSON.parse(editor.value);
			if (!looksLike(editor.value))
				throw new SyntaxError('a spec is an object in braces');
			state.spec = spec;
			state.broken = null;
			rebuild();
		} catch (e) {
			state.broken = new Problem(0, { title: 'The JSON cannot be read', detail: e.message });
		}
		soon();
	}
	/* The server's errors, and what only the tables know. */
	function withLocal(errors) {
		const told = new Set(errors.map((e) => e.pointer));
		return [...errors, ...formErrors(state.spec, models).filter((e) => !told.has(e.pointer))];
	}
	function launch() {
		return send('/v1/runs', '#/runs/', 'The run was not started.');
	}
	function openSession() {
		return send('/v1/sessions', '#/sessions/', 'The session was not opened.');
	}
	function startSweep() {
		return send('/v1/sweeps', '#/sweeps/', 'The sweep was not started.', panel.body());
	}
	/* more: {body, spec, headers} of a sweep. */
	async function send(path, page, sorry, more = { body: {}, spec: state.spec, headers: {} }) {
		const local = state.broken ? [] : withLocal([]);
		if (state.broken || local.length)
			return show(state.broken ?? { title: 'The spec is not valid yet', message: '', errors: local });
		const overrides = from.preset ? changes(from.spec, more.spec) : null;
		const tags = tagsInput.value.split(',').map((t) => t.trim()).filter(Boolean);
		const body = overrides ? { preset: from.preset, ...(overrides.length ? { overrides } : {}) }
			: { spec: more.spec };
		Object.assign(body, more.body);
		if (nameInput.value.trim())
			body.name = nameInput.value.trim();
		if (tags.length)
			body.tags = tags;
		button.disabled = live.disabled = true;
		try {
			const made = await post(path, body, { headers: { ...more.headers,
				'Idempotency-Key': crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` } });
			location.hash = page + made.id;
		} catch (e) {
			show(e, overrides);
			problems.scrollIntoView({ block: 'nearest' });
			say(sorry);
		} finally {
			button.disabled = live.disabled = false;
		}
		return null;
	}

	main.replaceChildren(
		el('header', { class: 'page-head' }, el('h1', { tabindex: -1 }, from.title),
			el('p', { class: 'lead' }, rich(from.text)),
			from.look ? el('p', { class: 'look' }, el('strong', {}, 'What to look at. '), rich(from.look)) : null),
		form, details,
		el('div', { class: 'launch' },
			el('div', { class: 'field' }, el('label', { for: 'run-name' }, 'Name of the run'), nameInput),
			el('div', { class: 'field' }, el('label', { for: 'run-tags' }, 'Tags'), tagsInput),
			el('div', { class: 'launch-go' }, button, live), estimate),
		problems, panel.root);
	editor.value = JSON.stringify(state.spec, null, 2);
	rebuild();
	if (from.sweep)
		panel.fill(from.sweep);
	else if (sweep)
		panel.addFirst();
	validate();
	if (sweep)
		panel.root.scrollIntoView({ block: 'nearest' });
	return () => clearTimeout(state.timer);
}

/* The form was rebuilt under the cursor: put it back by pointer and position. */
function refocus(form, rebuild) {
	const at = document.activeElement, field = at?.closest?.('.field');
	const index = field ? [...field.querySelectorAll('input, select')].indexOf(at) : -1;
	rebuild();
	if (index >= 0)
		form.querySelector(`[data-pointer="${CSS.escape(field.dataset.pointer)}"]`)
			?.querySelectorAll('input, select')[index]?.focus();
}

function costText(cost) {
	if (!cost)
		return ['Valid.'];
	const parts = [cost.neurons ? `${count(Math.round(cost.neurons))} neurons` : null,
		cost.synapses ? `${count(Math.round(cost.synapses))} synapses` : null,
		cost.steps ? `${count(Math.round(cost.steps))} steps` : null,
		cost.bytes ? bytes(cost.bytes) : null].filter(Boolean);
	return ['Valid', parts.length ? `: ${parts.join(', ')}` : '', '.'];
}

/* From one synapse to a network; presets that this page has not heard of come last. */
const ORDER = ['stdp_window', 'pair_protocol', 'song_competition', 'digit_image', 'balanced_plastic'];

function rank(preset) {
	const i = ORDER.indexOf(preset.name);
	return i < 0 ? ORDER.length : i;
}

/* The curve that everything here is about. */
function windowSketch() {
	const points = (sign, amplitude) => Array.from({ length: 40 }, (_, i) =>
		`${100 + sign * (2 + i * 2.4)} ${50 - sign * amplitude * Math.exp(-i / 9)}`).join('L');
	return svg('svg', { viewBox: '0 0 200 100', class: 'card-sketch', 'aria-hidden': 'true' },
		svg('path', { d: 'M4 50H196M100 6V94', class: 'brand-axis' }),
		svg('path', { d: `M${points(-1, 38)}`, class: 'brand-ltd' }),
		svg('path', { d: `M${points(1, 40)}`, class: 'brand-ltp' }),
		svg('text', { x: 108, y: 92, class: 'sketch-text' }, 'pre before post: dt > 0'),
		svg('text', { x: 92, y: 14, class: 'sketch-text end' }, 'post before pre: dt < 0'));
}

/* The presets as cards. */
export async function presetCards() {
	const list = await getOnce('/v1/presets');
	const items = list.items ?? list.presets ?? list;
	if (!items.length)
		return el('p', { class: 'empty' }, 'The server brings no presets.');
	const sorted = [...items].sort((a, b) => rank(a) - rank(b));
	return el('ul', { class: 'cards' }, sorted.map((p, i) => {
		const t = presetTexts(p);
		const first = i === 0 && p.name === 'stdp_window';
		return el('li', { class: first ? 'card first' : 'card' }, first ? windowSketch() : null,
			el('h3', {}, el('a', { href: `#/new/${encodeURIComponent(p.name)}` }, t.title)),
			el('p', {}, rich(t.text)),
			t.look ? el('p', { class: 'look' }, el('strong', {}, 'Look at: '), rich(t.look)) : null,
			el('p', { class: 'card-name' }, code(p.name)));
	}));
}
