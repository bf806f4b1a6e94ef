/* data.js - data sets: upload, list, delete. */
/* SPDX-License-Identifier: MIT */
import { del, get, post, problemView, query } from './api.js';
import { bytes, confirmDialog, el, say, setTitle, when } from './dom.js';

const TYPES = { csv: 'text/csv', gz: 'application/gzip', zip: 'application/zip', npz: 'application/zip' };

const typeOf = (name) => TYPES[name.split('.').pop().toLowerCase()] ?? 'application/octet-stream';

export async function dataPage(main) {
	setTitle('Data sets');
	const list = el('div', {}), trouble = el('div', { 'aria-live': 'polite' });
	const file = el('input', { type: 'file', id: 'data-file', required: true,
		accept: '.csv,.npy,.npz,.wav,.zip,.gz,.idx,.idx1-ubyte,.idx3-ubyte,application/octet-stream',
		onchange: () => {
			if (file.files[0] && !name.value)
				name.value = file.files[0].name.replace(/\.[^.]*$/, '');
		} });
	const name = el('input', { type: 'text', id: 'data-name', maxlength: 200 });
	const button = el('button', { class: 'button', type: 'submit' }, 'Upload');

	async function upload(event) {
		event.preventDefault();
		const chosen = file.files[0];
		if (!chosen)
			return;
		button.disabled = true;
		button.textContent = 'Uploading…';
		try {
			const set = await post(`/v1/datasets${query({ name: name.value.trim() || chosen.name })}`,
				chosen, { type: typeOf(chosen.name) });
			trouble.replaceChildren(el('p', { class: 'good' }, `Uploaded: ${set.name || set.id}.`));
			event.target.reset();
			await load();
		} catch (e) {
			trouble.replaceChildren(problemView(e));
		}
		button.disabled = false;
		button.textContent = 'Upload';
	}
	async function remove(set) {
		const label = set.name || set.id;
		if (!await confirmDialog('Delete this data set?',
			`“${label}” is deleted from the server. Runs that used it keep their results.`, 'Delete it'))
			return;
		try {
			await del(`/v1/datasets/${set.id}`);
			say(`Deleted ${label}.`);
			await load();
		} catch (e) {
			trouble.replaceChildren(problemView(e));
		}
	}
	function item(set) {
		return el('tr', {},
			el('td', { 'data-label': 'Name' }, el('strong', {}, set.name || 'without a name'),
				el('br'), el('code', { class: 'small' }, set.id)),
			el('td', { 'data-label': 'Fields' }, el('ul', { class: 'plain' }, (set.fields ?? []).map((f) =>
				el('li', {}, el('code', {}, f.name), ` ${(f.shape ?? []).join(' × ')} ${f.dtype ?? ''}`)))),
			el('td', { 'data-label': 'Kind' }, set.kind, set.bytes ? `, ${bytes(set.bytes)}` : ''),
			el('td', { 'data-label': 'Uploaded' }, when(set.created_at)),
			el('td', {}, el('button', { class: 'button quiet small', type: 'button',
				'aria-label': `Delete ${set.name || set.id}`, onclick: () => remove(set) }, 'Delete')));
	}
	async function load() {
		const { items } = await get('/v1/datasets');
		list.replaceChildren(items.length ? el('table', { class: 'runs' },
			el('thead', {}, el('tr', {}, ['Name', 'Fields', 'Kind', 'Uploaded', 'Actions'].map((t) =>
				el('th', { scope: 'col' }, t === 'Actions' ? el('span', { class: 'hidden' }, t) : t)))),
			el('tbody', {}, items.map(item)))
			: el('p', { class: 'empty' }, 'No data sets yet. Upload a file to use it in a spec.'));
	}

	main.replaceChildren(
		el('header', { class: 'page-head' }, el('h1', { tabindex: -1 }, 'Data sets'),
			el('p', { class: 'lead' }, 'Images, spike times or any columns of numbers, for parameters of a spec: ',
				'CSV, NPY, NPZ, IDX, WAV or a zip of WAVs, each also gzipped. A CSV with the columns ', el('code', {}, 't_ms'),
				' and ', el('code', {}, 'neuron'), ' serves as spike times.')),
		el('form', { class: 'filters', onsubmit: upload },
			el('div', { class: 'field' }, el('label', { for: 'data-file' }, 'File'), file),
			el('div', { class: 'field' }, el('label', { for: 'data-name' }, 'Name'), name),
			el('div', { class: 'field end' }, button)),
		trouble, list);
	try {
		await load();
	} catch (e) {
		list.replaceChildren(problemView(e));
	}
}
