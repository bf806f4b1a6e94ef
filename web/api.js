/* api.js - the HTTP interface: requests, problems in plain words, live runs. */
/* SPDX-License-Identifier: MIT */
import { el } from './dom.js';

/* What went wrong, as the server told it (application/problem+json) or as well as we know. */
export class Problem extends Error {
	constructor(status, body) {
		super(body.detail || body.title || `The server answered ${status}.`);
		this.status = status;
		this.title = body.title || 'That did not work';
		this.detail = body.detail || '';
		this.errors = Array.isArray(body.errors) ? body.errors : [];
	}
}

async function problemOf(response) {
	try {
		return new Problem(response.status, await response.json());
	} catch {
		return new Problem(response.status, {
			title: 'Unexpected answer',
			detail: `The server answered ${response.status} without saying why.`,
		});
	}
}

let asking = null;

/* Once the server has access tokens every request needs one. It is kept as a cookie, as streams of
 * events cannot bear headers. Resolves to whether one was given. */
function askToken() {
	asking ??= new Promise((resolve) => {
		const field = el('input', { type: 'password', autocomplete: 'off', required: true, 'aria-label': 'Access token' });
		const dialog = el('dialog', { 'aria-label': 'Access token needed' },
			el('form', { method: 'dialog' },
				el('p', {}, 'This server asks for an access token. ',
					el('code', {}, 'stdpd token add'), ' makes one.'),
				field, ' ',
				el('button', { value: 'go' }, 'Go on'), ' ',
				el('button', { value: 'no', formnovalidate: true }, 'Cancel')));
		dialog.addEventListener('close', () => {
			const given = dialog.returnValue === 'go' ? field.value.trim() : '';
			const safe = location.protocol === 'https:' ? '; Secure' : '';
			if (given)
				document.cookie = `stdpd_token=${encodeURIComponent(given)}; Path=/; Max-Age=31536000; SameSite=Strict${safe}`;
			dialog.remove();
			asking = null;
			resolve(given !== '');
		});
		document.body.append(dialog);
		dialog.showModal();
	});
	return asking;
}

export async function request(method, path, options = {}) {
	const { body, type, signal, headers } = options;
	const init = { method, signal, headers: { Accept: 'application/json', ...headers } };
	if (body !== undefined) {
		init.body = type ? body : JSON.stringify(body);
		init.headers['Content-Type'] = type ?? 'application/json';
	}
	let response;
	try {
		response = await fetch(path, init);
	} catch (e) {
		if (e.name === 'AbortError')
			throw e;
		throw new Problem(0, {
			title: 'No connection',
			detail: 'The server could not be reached. Is it still running?',
		});
	}
	if (response.status === 401 && await askToken())
		return request(method, path, options);
	if (!response.ok)
		throw await problemOf(response);
	if (response.status === 204)
		return null;
	return response.json();
}

export const get = (path, signal) => request('GET', path, { signal });
export const post = (path, body, options) => request('POST', path, { body, ...options });
export const patch = (path, body) => request('PATCH', path, { body });
export const del = (path) => request('DELETE', path);

/* ?a=1&b=2 of those that are set. */
export function query(params) {
	const q = new URLSearchParams();
	for (const [k, v] of Object.entries(params))
		if (v !== undefined && v !== null && v !== '')
			q.set(k, v);
	const text = q.toString();
	return text ? `?${text}` : '';
}

const cache = new Map();

/* What does not change while the server runs. */
export function getOnce(path) {
	if (!cache.has(path))
		cache.set(path, get(path).catch((e) => {
			cache.delete(path);
			throw e;
		}));
	return cache.get(path);
}

/* An error on the page. jump(pointer) may return a function that goes to the place. */
export function problemView(error, jump) {
	const errors = error.errors ?? [];
	const same = errors.length === 1 && errors[0].detail === error.detail;
	return el('div', { class: 'problem', role: 'alert' },
		el('strong', {}, error.title ?? 'That did not work'),
		error.message && !same ? el('p', {}, error.message) : null,
		errors.length ? el('ul', {}, errors.map((e) => {
			const go = e.pointer && jump ? jump(e.pointer) : null;
			const where = e.pointer ? el('code', {}, e.pointer) : null;
			return el('li', {},
				go ? el('button', { type: 'button', class: 'link', onclick: go }, where)
					: where,
				where ? ' ' : null, e.detail);
		})) : null);
}

/* attempt(what): what it resolves to, or null with the error shown in `place`. */
export const attemptIn = (place) => async (what) => {
	place.replaceChildren();
	try {
		return await what();
	} catch (e) {
		place.replaceChildren(problemView(e));
		return null;
	}
};

const ENDED = new Set(['succeeded', 'failed', 'timed_out', 'cancelled']);
export const ended = (state) => ENDED.has(state);

/* Events of several at once, topics as ["run:ID", "sweep:ID"]: on(kind, data), data.topic says whose. lost(): the
 * stream cannot be had. Returns a function that closes it. */
export function watchTopics(topics, on, lost) {
	const source = new EventSource(`/v1/events?topics=${topics.join(',')}`);
	for (const kind of ['state', 'progress', 'gap'])
		source.addEventListener(kind, (event) => on(kind, JSON.parse(event.data)));
	source.addEventListener('error', () => source.readyState === EventSource.CLOSED && lost?.());
	return () => source.close();
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/* Follow a run until it ends: on.run(run) at each change of state, on.progress(progress) between.
 * Server-sent events; when they fail, long polls. Returns a function that stops it. */
export function watchRun(id, on) {
	const stop = new AbortController();
	let source = null, last = null;

	async function refresh(params) {
		last = await get(`/v1/runs/${id}${query(params ?? {})}`, stop.signal);
		on.run(last);
		return ended(last.state);
	}
	async function poll() {
		while (!stop.signal.aborted) {
			try {
				if (await refresh({ wait: 10, since_version: last?.version }))
					return;
				await sleep(last?.version === undefined ? 1000 : 100);
			} catch (e) {
				if (e.name === 'AbortError')
					return;
				on.trouble?.(e);
				await sleep(3000);
			}
		}
	}
	function close() {
		source?.close();
		source = null;
	}
	function fallBack() {
		if (!source)
			return;
		close();
		poll();
	}
	source = new EventSource(`/v1/runs/${id}/events`);
	source.addEventListener('state', () => {
		refresh().then((end) => end && close()).catch(fallBack);
	});
	source.addEventListener('gap', () => refresh().catch(fallBack));
	source.addEventListener('progress', (event) => {
		const data = JSON.parse(event.data);
		on.progress(data.progress ?? data);
	});
	source.addEventListener('error', fallBack);
	return () => {
		stop.abort();
		close();
	};
}
