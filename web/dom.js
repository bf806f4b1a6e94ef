/* dom.js - elements, numbers and times for people. */
/* SPDX-License-Identifier: MIT */

const SVG = 'http://www.w3.org/2000/svg';

function fill(node, props, children) {
	for (const [key, value] of Object.entries(props ?? {})) {
		if (value === null || value === undefined || value === false)
			continue;
		if (key.startsWith('on'))
			node.addEventListener(key.slice(2), value);
		else if (key === 'value' || key === 'checked' || key === 'disabled')
			node[key] = value;
		else
			node.setAttribute(key, value === true ? '' : String(value));
	}
	node.append(...children.flat(9).filter((c) => c !== null && c !== undefined && c !== false));
	return node;
}

/* el('p', {class: 'x', onclick: f}, 'text', other): children may nest and be null. */
export function el(tag, props, ...children) {
	return fill(document.createElement(tag), props, children);
}

export function svg(tag, props, ...children) {
	return fill(document.createElementNS(SVG, tag), props, children);
}

let ids = 0;
export function freshId(stem) {
	ids += 1;
	return `${stem}-${ids}`;
}

/* A number as a person writes it: 4 significant digits unless told, no trailing zeros. */
export function num(x, digits = 4) {
	if (x === null || x === undefined || x === '')
		return '–';
	const v = Number(x);
	if (!Number.isFinite(v))
		return Number.isNaN(v) ? 'not a number' : v > 0 ? '∞' : '−∞';
	const size = Math.abs(v);
	if (v !== 0 && (size < 1e-4 || size >= 1e7))
		return v.toExponential(Math.max(0, digits - 1)).replace(/\.?0+e/, 'e').replace('e+', 'e');
	return String(Number(v.toPrecision(digits)));
}

export function count(n) {
	return n === null || n === undefined ? '–' : Number(n).toLocaleString('en');
}

export function bytes(n) {
	const units = ['B', 'kB', 'MB', 'GB', 'TB'];
	let v = Number(n), i = 0;
	while (v >= 1000 && i < units.length - 1) {
		v /= 1000;
		i += 1;
	}
	return `${num(v, 3)} ${units[i]}`;
}

/* Simulated time. */
export function simTime(ms) {
	return ms >= 1000 ? `${num(ms / 1000)} s` : `${num(ms)} ms`;
}

/* Wall time. */
export function wallTime(s) {
	if (s === null || s === undefined || !Number.isFinite(Number(s)))
		return '–';
	if (s < 1)
		return `${num(s * 1000, 2)} ms`;
	if (s < 90)
		return `${num(s, 3)} s`;
	if (s < 5400)
		return `${num(s / 60, 2)} min`;
	return `${num(s / 3600, 2)} h`;
}

/* <time>: recent ones as "3 min ago", the full date as its title. */
export function when(iso) {
	if (!iso)
		return el('span', {}, '–');
	const date = new Date(iso), age = (Date.now() - date) / 1000;
	let text = date.toLocaleDateString(undefined, { dateStyle: 'medium' });
	if (age < 45)
		text = 'just now';
	else if (age < 5400)
		text = `${Math.max(1, Math.round(age / 60))} min ago`;
	else if (age < 86400)
		text = `${Math.round(age / 3600)} h ago`;
	return el('time', { datetime: iso, title: date.toLocaleString() }, text);
}

/* Text of a preset: what stands between backticks is code. */
export function rich(text) {
	return String(text).split('`').map((part, i) => (i % 2 ? el('code', {}, part) : part));
}

/* stdp_pair, without breaking a word over lines on narrow screens where it need not. */
export function code(text) {
	return el('code', {}, String(text).replace(/_/g, '_\u200b'));
}

export function setTitle(text) {
	document.title = text ? `${text} · stdpd` : 'stdpd';
}

/* Say something to screen readers without moving the focus. */
export function say(text) {
	document.getElementById('live').textContent = text;
}

/* Ask before what cannot be undone; resolves to true or false. */
export function confirmDialog(title, text, action) {
	return new Promise((resolve) => {
		const id = freshId('dialog');
		const dialog = el('dialog', { 'aria-labelledby': id, class: 'dialog' },
			el('h2', { id }, title),
			el('p', {}, text),
			el('form', { method: 'dialog', class: 'row' },
				el('button', { value: 'yes', class: 'button danger' }, action),
				el('button', { value: 'no', class: 'button quiet' }, 'Keep it')));
		dialog.addEventListener('close', () => {
			dialog.remove();
			resolve(dialog.returnValue === 'yes');
		});
		document.body.append(dialog);
		dialog.showModal();
	});
}
