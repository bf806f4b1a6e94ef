/* pointer.js - JSON Pointers: read, write, compare, and find their place in a text. */
/* SPDX-License-Identifier: MIT */

const escape = (key) => String(key).replace(/~/g, '~0').replace(/\//g, '~1');
const unescape = (key) => key.replace(/~1/g, '/').replace(/~0/g, '~');

export const join = (...keys) => keys.map((k) => `/${escape(k)}`).join('');
export const split = (pointer) => pointer.split('/').slice(1).map(unescape);

export function read(root, pointer) {
	return split(pointer).reduce((at, key) => at?.[key], root);
}

/* Set a value, making objects on the way; undefined removes the key. */
export function write(root, pointer, value) {
	const keys = split(pointer), last = keys.pop();
	let at = root;
	for (const key of keys) {
		if (typeof at[key] !== 'object' || at[key] === null)
			at[key] = {};
		at = at[key];
	}
	if (value === undefined)
		delete at[last];
	else
		at[last] = value;
}

const isObject = (v) => typeof v === 'object' && v !== null && !Array.isArray(v);

/* The changes that turn `from` into `to`, as [{path, value}]; null if something was removed. */
export function changes(from, to, at = '') {
	if (!isObject(from) || !isObject(to))
		return JSON.stringify(from) === JSON.stringify(to) ? [] : [{ path: at, value: to }];
	const out = [];
	for (const key of Object.keys(from))
		if (!(key in to))
			return null;
	for (const [key, value] of Object.entries(to)) {
		const path = at + join(key);
		const part = key in from ? changes(from[key], value, path) : [{ path, value }];
		if (!part)
			return null;
		out.push(...part);
	}
	return out;
}

/* Offset in a JSON text of the value that a pointer names, or of its nearest parent. */
export function locate(text, pointer) {
	const want = split(pointer);
	let i = 0, best = 0;

	const blank = () => {
		while (i < text.length && /\s/.test(text[i]))
			i += 1;
	};
	const string = () => {
		const from = i;
		i += 1;
		while (i < text.length && text[i] !== '"')
			i += text[i] === '\\' ? 2 : 1;
		i += 1;
		return JSON.parse(text.slice(from, i));
	};
	const entry = (key, depth, from) => {
		const on = depth >= 0 && want[depth] === String(key);
		if (on)
			best = from;
		value(on ? depth + 1 : -1);
	};
	const value = (depth) => {
		blank();
		const open = text[i];
		if (open === '"') {
			string();
		} else if (open === '{' || open === '[') {
			i += 1;
			for (let n = 0; ; n += 1) {
				blank();
				if (i >= text.length || text[i] === '}' || text[i] === ']')
					break;
				const from = i, key = open === '{' ? string() : n;
				blank();
				i += open === '{' ? 1 : 0;
				entry(key, depth, from);
				blank();
				i += text[i] === ',' ? 1 : 0;
			}
			i += 1;
		} else {
			while (i < text.length && !/[\s,\]}]/.test(text[i]))
				i += 1;
		}
	};
	try {
		value(0);
	} catch {
		/* the text is broken: the nearest parent will do */
	}
	return best;
}

export const lineOf = (text, offset) => text.slice(0, offset).split('\n').length;
