/* page.test.mjs - the page against the real server in a headless browser, as a person would click.
 *
 * STDPD names the server (build/bin/stdpd), CHROMIUM the browser. Prints one line a claim. */
/* SPDX-License-Identifier: MIT */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const STDPD = process.env.STDPD ?? join(ROOT, 'build/bin/stdpd');
const BROWSERS = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const LONG_MS = 60000;

const browserPath = BROWSERS.find((p) => p && existsSync(p));
const npm = createRequire(join(ROOT, 'web/package.json'));

function skip(why) {
	process.stdout.write(`skipped: ${why}\n`);
	process.exit(0);
}
if (!browserPath)
	skip('there is no Chromium');
if (!existsSync(join(ROOT, 'web/node_modules/playwright-core')))
	skip('web/node_modules is not installed (npm ci --ignore-scripts in web/)');

const { chromium } = npm('playwright-core');
const axe = readFileSync(npm.resolve('axe-core/axe.min.js'), 'utf8');

let done = 0, failed = 0;
async function check(name, claim) {
	done += 1;
	try {
		await claim();
		process.stdout.write(`ok ${done} - ${name}\n`);
	} catch (e) {
		failed += 1;
		process.stdout.write(`not ok ${done} - ${name}\n${String(e.message ?? e).replace(/^/gm, '  # ')}\n`);
	}
}
function must(condition, text) {
	if (!condition)
		throw new Error(text);
}

/* ---- the server ---- */

function start(dir) {
	const server = spawn(STDPD, ['--listen', '127.0.0.1:0', '--data', dir], { stdio: ['ignore', 'pipe', 'pipe'] });
	let out = '', log = '';
	server.stderr.on('data', (d) => { log = (log + d).slice(-4000); });
	const ready = new Promise((good, bad) => {
		server.stdout.on('data', (d) => {
			out += d;
			const found = /listening on (http:\/\/\S+)/.exec(out);
			if (found)
				good(found[1]);
		});
		server.on('error', bad);
		server.on('exit', (code) => bad(new Error(`the server ended with ${code}: ${log}`)));
		setTimeout(() => bad(new Error(`the server does not listen: ${log}`)), LONG_MS).unref();
	});
	return { server, ready };
}

async function stop(server) {
	const ended = new Promise((good) => { server.once('exit', good); });
	if (server.exitCode !== null)
		return;
	server.kill('SIGTERM');
	const late = setTimeout(() => server.kill('SIGKILL'), 15000);
	await ended;
	clearTimeout(late);
}

/* ---- the browser ---- */

const dir = mkdtempSync(join(tmpdir(), 'stdpd-page-'));
const { server, ready } = start(dir);
process.on('exit', () => server.kill('SIGKILL'));
let base = '';
try {
	base = await ready;
} catch (e) {
	process.stdout.write(`not ok 1 - the server starts\n  # ${e.message}\n`);
	await stop(server);
	rmSync(dir, { recursive: true, force: true });
	process.exit(1);
}
const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox', '--disable-gpu'] });
const complaints = [];
let expected = 0; /* refusals that a claim provokes */

async function open(hash, { width = 1280, height = 900, colorScheme = 'light' } = {}) {
	const context = await browser.newContext({ viewport: { width, height }, colorScheme, reducedMotion: 'reduce' });
	const page = await context.newPage();
	page.setDefaultTimeout(LONG_MS);
	page.on('pageerror', (e) => complaints.push(`${hash}: ${e.message}`));
	page.on('console', (m) => {
		if (m.type() === 'error')
			complaints.push(`${hash}: ${m.text()} ${m.location().url}`);
	});
	await page.goto(`${base}/${hash}`);
	await page.waitForSelector('main:not([aria-busy]) h1');
	return page;
}
const shut = (page) => page.context().close();

async function launch(page) {
	await page.getByRole('button', { name: 'Launch' }).click();
	await page.waitForURL(/#\/runs\/[0-9a-f]+$/);
}
async function finished(page) {
	await page.waitForSelector('.state.succeeded');
	await page.waitForSelector('[data-ready]');
	const troubles = await page.locator('.plots .problem').allTextContents();
	must(!troubles.length, `plots say: ${troubles.join(' | ')}`);
}
/* Is anything drawn: pixels of more than one colour. */
function drawn(page, selector) {
	return page.locator(`${selector} canvas`).first().evaluate((c) => {
		const { data } = c.getContext('2d').getImageData(0, 0, c.width, c.height);
		const seen = new Set();
		for (let i = 0; i < data.length && seen.size < 3; i += 4)
			seen.add((data[i] << 24) | (data[i + 1] << 16) | (data[i + 2] << 8) | data[i + 3]);
		return seen.size >= 3;
	});
}
async function hasPlots(page, titles) {
	for (const title of titles) {
		const plot = page.locator('figure', { has: page.getByRole('heading', { name: title }) }).first();
		await plot.waitFor();
		const id = `plot-${Math.random().toString(36).slice(2)}`;
		await plot.evaluate((node, value) => { node.id = value; }, id);
		must(await drawn(page, `#${id}`), `nothing is drawn in ${title}`);
	}
}
async function runOf(preset, overrides) {
	const answer = await fetch(`${base}/v1/runs`, { method: 'POST', headers: { 'Content-Type': 'application/json',
		Prefer: 'wait=30' }, body: JSON.stringify({ preset, overrides }) });
	const run = await answer.json();
	must(answer.ok, `${preset}: ${JSON.stringify(run)}`);
	return run.id;
}

/* A grey ring on black, 28 by 28, as a NPY file of one image. */
function ringFile() {
	const head = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 28, 28), }";
	const pad = head.padEnd(Math.ceil((head.length + 11) / 64) * 64 - 11) + '\n';
	const bytes = Buffer.alloc(10 + pad.length + 2 * 784);
	bytes.write('\x93NUMPY\x01\x00', 0, 'latin1');
	bytes.writeUInt16LE(pad.length, 8);
	bytes.write(pad, 10, 'latin1');
	for (let i = 0; i < 2 * 784; i += 1)
		bytes[10 + pad.length + i] = Math.abs(Math.hypot((i % 28) - 14, (Math.floor(i / 28) % 28) - 14) - 8) < 2 ? 230 : 0;
	const file = join(dir, 'ring.npy');
	writeFileSync(file, bytes);
	return file;
}

/* ---- claims ---- */

let windowRun = '', songRun = '', sessionId = '', sweepId = '';

await check('a click on the preset and on Launch leads to the STDP curve', async () => {
	const page = await open('#/');
	await page.getByRole('link', { name: 'The window of pair STDP' }).click();
	await page.waitForSelector('[data-pointer="/params/rule_params/A_plus"]');
	await launch(page);
	await finished(page);
	windowRun = page.url().split('/').pop();
	await hasPlots(page, ['STDP curve', 'Residual']);
	await shut(page);
});

await check('the curve lies on the theory to 1e-9 of its largest change', async () => {
	const page = await open(`#/runs/${windowRun}`);
	await finished(page);
	const text = await page.locator('[data-largest-relative]').getAttribute('data-largest-relative');
	const shown = await page.locator('[data-largest-relative]').textContent();
	must(text !== null && Number(text) <= 1e-9, `the largest difference is ${text}`);
	must(Math.abs(Number(shown) - Number(text)) <= 0.051 * Number(text), `it prints ${shown} for ${text}`);
	const table = await (await fetch(`${base}/v1/runs/${windowRun}/tables/window`)).json();
	const [dt, dw] = ['dt_ms', 'dw'].map((n) => table.columns.find((c) => c.name === n).values);
	const at = dt.indexOf(20);
	must(at >= 0 && Math.abs(dw[at] - 0.005 * Math.exp(-1)) < 1e-12, `dw(20 ms) is ${dw[at]}`);
	must(await page.locator('.numbers tbody tr').count() === dt.length, 'the table lacks rows');
	await shut(page);
});

await check('a change in the form changes the curve', async () => {
	const page = await open('#/new/stdp_window');
	await page.locator('[data-pointer="/params/rule_params/A_plus"] input').fill('0.01');
	await page.waitForFunction(() => JSON.parse(document.getElementById('spec-json').value)
		.params.rule_params.A_plus === 0.01);
	await launch(page);
	await finished(page);
	const id = page.url().split('/').pop();
	const run = await (await fetch(`${base}/v1/runs/${id}`)).json();
	const table = await (await fetch(`${base}/v1/runs/${id}/tables/window`)).json();
	const [dt, dw] = ['dt_ms', 'dw'].map((n) => table.columns.find((c) => c.name === n).values);
	must(run.preset === 'stdp_window', `the run's preset is ${run.preset}`);
	must(Math.abs(dw[dt.indexOf(20)] - 0.01 * Math.exp(-1)) < 1e-12, 'A_plus had no effect');
	const targets = await page.locator('.targets tbody tr').allTextContents();
	/* Long names may break behind an underscore. */
	must(targets.length === 1 && /max_rel_error.*yes/.test(targets[0].replaceAll('\u200b', '')), `targets: ${targets}`);
	await shut(page);
});

await check('a value out of range is refused beside its field, in plain words', async () => {
	const page = await open('#/new/stdp_window');
	const field = page.locator('[data-pointer="/params/rule_params/tau_plus"]');
	await field.locator('input').fill('-3');
	await page.waitForSelector('[data-pointer="/params/rule_params/tau_plus"].bad');
	must((await field.locator('.error').textContent()).length > 10, 'no words');
	must(await field.locator('input').getAttribute('aria-invalid') === 'true', 'not marked as invalid');
	await field.locator('input').fill('20');
	await page.waitForSelector('[data-pointer="/params/rule_params/tau_plus"]:not(.bad)');
	await shut(page);
});

await check('a bad spec in the editor is told by pointer and line, and a click goes there', async () => {
	const page = await open('#/new/song_competition');
	await page.getByText('The spec as JSON').click();
	const spec = JSON.parse(await page.locator('#spec-json').inputValue());
	spec.populations.cell.model = 'iaf_psc_detla';
	spec.duration_ms = 100.05;
	await page.locator('#spec-json').fill(JSON.stringify(spec, null, 2));
	const problem = page.locator('.problems .problem');
	await problem.getByText('/populations/cell/model').waitFor();
	const text = await problem.textContent();
	must(/line \d+/.test(text), `no line in: ${text}`);
	must(/\/duration_ms/.test(text), `not all errors at once: ${text}`);
	await problem.getByRole('button', { name: '/populations/cell/model' }).click();
	const marked = await page.locator('#spec-json').evaluate((t) => t.value.slice(t.selectionStart, t.selectionEnd));
	must(/iaf_psc_detla/.test(marked), `selected: ${marked}`);
	expected += 1;
	await page.getByRole('button', { name: 'Launch' }).click();
	await page.waitForTimeout(500);
	must(/#\/new\//.test(page.url()), 'it was launched');
	await page.locator('#spec-json').fill('{"duration_ms": ');
	await problem.getByText('The JSON cannot be read').waitFor();
	await shut(page);
});

await check('pairings at 1 Hz: the staircase, the spikes and the pairs appear', async () => {
	const page = await open(`#/runs/${await runOf('pair_protocol')}`);
	await finished(page);
	await hasPlots(page, ['Weight traces of synapse', 'Spikes', 'Pairs and changes in synapse']);
	await shut(page);
});

await check('the competition: progress moves, then histogram over time, weights, spikes and rates appear', async () => {
	const page = await open('#/new/song_competition');
	await launch(page);
	songRun = page.url().split('/').pop();
	await finished(page);
	await hasPlots(page, ['Weights of in_to_cell over time', 'Distribution of in_to_cell', 'Spikes', 'Firing rates']);
	must(/plastic updates/.test(await page.locator('.about').textContent()), 'no counts');
	await shut(page);
});

await check('the balanced network: raster, matrix, states and rates appear', async () => {
	const page = await open(`#/runs/${await runOf('balanced_plastic', [{ path: '/duration_ms', value: 500 }])}`);
	await finished(page);
	await hasPlots(page, ['Spikes', 'Weights of e_to_e over time', 'V_m of e', 'Firing rates']);
	await shut(page);
});

await check('an uploaded image is chosen in the form and learnt as receptive fields', async () => {
	const page = await open('#/data');
	await page.locator('#data-file').setInputFiles(ringFile());
	await page.locator('#data-name').fill('a ring');
	await page.getByRole('button', { name: 'Upload' }).click();
	await page.getByText('Uploaded: a ring.').waitFor();
	await page.goto(`${base}/#/new/digit_image`);
	const select = page.getByLabel('rate: data set');
	await select.selectOption({ label: 'a ring' });
	await page.getByLabel(/^row, 0 to 1/).fill('1');
	await page.locator('[data-pointer="/duration_ms"] input').fill('2000');
	await page.waitForFunction(() => /^Valid/.test(document.querySelector('.estimate').textContent));
	await launch(page);
	await finished(page);
	await hasPlots(page, ['Receptive fields of pixels_to_cells']);
	const slider = page.getByRole('slider', { name: 'Time' });
	await slider.fill('0');
	await page.getByText(/synapses at 0 ms/).waitFor();
	await shut(page);
});

await check('a long run shows progress and is cancelled by its button', async () => {
	const page = await open('#/new/song_competition');
	await page.locator('[data-pointer="/duration_ms"] input').fill('3600000');
	await launch(page);
	await page.waitForSelector('.state.running');
	await page.waitForFunction(() => document.querySelector('progress')?.value > 0);
	await page.getByRole('button', { name: 'Cancel' }).click();
	await page.waitForSelector('.state.cancelled');
	await page.waitForSelector('[data-ready]');
	must(await page.getByText('these results are partial').count() === 1, 'not marked as partial');
	await shut(page);
});

const clock = (page) => page.locator('.clock').getAttribute('data-t').then(Number);
const claims = (page, text) => page.waitForFunction((t) => document.querySelector('.clock')?.textContent === t, text);

await check('a session is opened, stepped, played and paused, and its weights and spikes move', async () => {
	const page = await open('#/new/song_competition');
	await page.getByRole('button', { name: 'Open as a session' }).click();
	await page.waitForURL(/#\/sessions\/[0-9a-f]+$/);
	sessionId = page.url().split('/').pop();
	await page.getByLabel('Step by (ms)').fill('500');
	await page.getByRole('button', { name: 'Step' }).click();
	await claims(page, '500 ms');
	await page.getByLabel('Speed').selectOption('1');
	await page.getByRole('button', { name: 'Play' }).click();
	await page.waitForSelector('.state.playing');
	await page.getByText(/standard deviation/).first().waitFor();
	await hasPlots(page, ['Spikes', 'Firing rates', 'Mean weights', 'Weights of in_to_cell']);
	await page.getByRole('button', { name: 'Pause' }).click();
	await page.waitForSelector('.state.ready');
	must(await clock(page) > 500, 'time stood');
	await shut(page);
});

await check('a session is acted upon, saved as a checkpoint, forked, and gone back', async () => {
	const page = await open(`#/sessions/${sessionId}`), t = await clock(page);
	await page.getByRole('button', { name: 'Save a checkpoint' }).click();
	await page.getByRole('button', { name: /^Go back to/ }).waitFor();
	await page.getByText('Act upon it').click();
	await page.getByRole('button', { name: 'Switch', exact: true }).click();
	await page.getByRole('button', { name: 'Set', exact: true }).click();
	await page.getByRole('button', { name: 'Step' }).click();
	await claims(page, `${t + 100} ms`);
	await page.getByRole('button', { name: 'Fork' }).click();
	await page.waitForFunction((id) => !location.hash.endsWith(id), sessionId);
	await claims(page, `${t + 100} ms`);
	await page.goto(`${base}/#/sessions/${sessionId}`);
	await page.getByRole('button', { name: /^Go back to/ }).click();
	await claims(page, `${t} ms`);
	must(!await page.locator('.problem').count(), `trouble: ${await page.locator('.problem').allTextContents()}`);
	await shut(page);
});

await check('what a session has recorded is drawn, and saved as a run', async () => {
	const page = await open(`#/sessions/${sessionId}`);
	await page.getByRole('button', { name: 'Show what it has recorded' }).click();
	await page.waitForSelector('[data-ready]');
	await page.getByRole('button', { name: 'Save as a run' }).click();
	await page.waitForURL(/#\/runs\/[0-9a-f]+$/);
	await finished(page);
	await page.goto(`${base}/#/sessions`);
	await page.getByRole('link', { name: /^Fork of/ }).waitFor();
	await shut(page);
});

/* A parameter is chosen from the list, as a person would. */
async function fillAxis(axis, parameter, values) {
	await axis.getByLabel('Parameter', { exact: true }).selectOption(parameter);
	await axis.getByLabel('Values, with commas between').fill(values);
}
const over = (page) => page.waitForSelector('.state.finished');

await check('a sweep is started from a preset; metric over the axis, seeds, best run and table appear', async () => {
	const page = await open('#/new/song_competition');
	await page.locator('[data-pointer="/duration_ms"] input').fill('300');
	await page.getByText('Sweep over values and seeds').click();
	await page.getByRole('button', { name: 'Add a parameter' }).click();
	await fillAxis(page.locator('.axis').first(), '/populations/inputs/params/rate', '20, 30, 60');
	await page.getByLabel('How many seeds').fill('2');
	must(/3 values × 2 seeds = 6 runs/.test(await page.locator('.sweep-form .estimate').textContent()), 'the number of runs is not told');
	await page.getByRole('button', { name: 'Start the sweep' }).click();
	await page.waitForURL(/#\/sweeps\/[0-9a-f]+$/);
	sweepId = page.url().split('/').pop();
	await over(page);
	await page.waitForFunction(() => document.querySelectorAll('.points tbody tr').length === 6);
	must(await drawn(page, '.plot'), 'nothing is drawn');
	const table = await (await fetch(`${base}/v1/sweeps/${sweepId}/table`)).json();
	const rates = table.columns.find((c) => c.name === 'rate_hz.cell').values, most = Math.max(...rates);
	must(Number(await page.locator('.best-value').textContent()) === Number(most.toPrecision(6)), 'another best value');
	const run = table.columns.find((c) => c.name === 'run_id').values[rates.indexOf(most)];
	must(await page.getByRole('link', { name: 'Its run', exact: true }).getAttribute('href') === `#/runs/${run}`, 'another best run');
	const shown = () => page.locator('.points tbody tr').evaluateAll((all) => all.map((r) => Number(r.cells[3].textContent)));
	await page.getByRole('button', { name: 'rate_hz.cell' }).click();
	await page.getByRole('button', { name: 'rate_hz.cell' }).click();
	must(await page.locator('.points th[aria-sort="descending"]').count() === 1, 'the order is not told');
	must(JSON.stringify(await shown()) === JSON.stringify([...rates].sort((a, b) => b - a).map((v) => Number(v.toPrecision(6)))), 'not sorted');
	await page.getByLabel(/Mean and standard deviation over 2 seeds/).check();
	await page.waitForFunction(() => document.querySelectorAll('.points tbody tr').length === 3);
	must(/±/.test(await page.locator('.points tbody').textContent()), 'no deviation');
	await page.getByRole('link', { name: 'Its run', exact: true }).click();
	await page.getByRole('link', { name: 'a sweep' }).click();
	await page.waitForURL(new RegExp(`#/sweeps/${sweepId}$`));
	await shut(page);
});

await check('over two axes it is a map, and what varies besides is chosen', async () => {
	const page = await open(`#/sweep/again/${sweepId}`);
	for (const [i, parameter, values] of [[1, '/populations/cell/params/V_th', '-60, -58'], [2, '/populations/cell/params/tau_m', '10, 20']]) {
		await page.getByRole('button', { name: 'Add a parameter' }).click();
		await fillAxis(page.locator('.axis').nth(i), parameter, values);
	}
	await page.getByLabel('How many seeds').fill('1');
	await page.getByLabel('Best by metric').fill('weight_mean.in_to_cell');
	await page.getByLabel('Best is').selectOption('smallest');
	await page.getByRole('button', { name: 'Start the sweep' }).click();
	await page.waitForURL((url) => /#\/sweeps\/[0-9a-f]+$/.test(url.hash));
	await over(page);
	await page.getByRole('heading', { name: 'weight_mean.in_to_cell over rate and V_th' }).waitFor();
	await page.waitForFunction(() => document.querySelector('.plot canvas'));
	must(await drawn(page, '.plot'), 'no map is drawn');
	await page.getByLabel('tau_m').selectOption('20');
	must(await page.evaluate(() => document.activeElement.tagName) === 'SELECT', 'the choice loses the focus');
	must(/Smallest/.test(await page.locator('.facts.best').textContent()), 'the goal is not kept');
	await page.getByLabel('Metric').selectOption('rate_hz.cell');
	await page.getByRole('heading', { name: 'rate_hz.cell over rate and V_th' }).waitFor();
	await page.getByRole('button', { name: 'Delete' }).click();
	await page.getByRole('button', { name: 'Delete it' }).click();
	await page.waitForURL(/#\/sweeps$/);
	await shut(page);
});

await check('a value of a sweep that is wrong is told where it was given', async () => {
	const page = await open('#/sweep/new/stdp_window');
	const axis = page.locator('.axis').first();
	await fillAxis(axis, '/params/rule_params/tau_plus', '20, -3');
	expected += 1;
	await page.getByRole('button', { name: 'Start the sweep' }).click();
	await axis.getByText(/tau_plus must lie in/).waitFor();
	must(await axis.getByLabel('Values, with commas between').getAttribute('aria-invalid') === 'true', 'not marked as invalid');
	must(/#\/sweep\/new/.test(page.url()), 'it was started');
	await shut(page);
});

await check('a long sweep shows progress, is cancelled, and the list of runs follows by one stream', async () => {
	const spec = await (await fetch(`${base}/v1/presets/song_competition`)).json().then((p) => p.spec);
	const made = await (await fetch(`${base}/v1/sweeps`, { method: 'POST', headers: { 'Content-Type': 'application/json' },
		body: JSON.stringify({ spec: { ...spec, duration_ms: 3600000 }, seeds: { from: 1, count: 50 }, name: 'long' }) })).json();
	const page = await open(`#/sweeps/${made.id}`), list = await open('#/runs');
	await list.getByLabel('Search').fill('long: seed');
	await list.waitForSelector('.state.running');
	await page.getByText('0 of 50').waitFor();
	await page.getByRole('button', { name: 'Cancel' }).click();
	await page.waitForSelector('.state.cancelled');
	await list.waitForFunction(() => document.querySelectorAll('tbody tr').length > 0
		&& document.querySelectorAll('tbody tr').length === document.querySelectorAll('tbody .state.cancelled').length);
	await page.goto(`${base}/#/sweeps`);
	await page.getByRole('link', { name: 'long' }).click();
	await page.getByRole('button', { name: 'Delete' }).click();
	await page.getByRole('button', { name: 'Delete it' }).click();
	await page.waitForURL(/#\/sweeps$/);
	await shut(page);
	await shut(list);
});

await check('without server-sent events, long polls tell the end', async () => {
	const before = complaints.length, page = await open('#/new/stdp_window');
	await page.route('**/events', (route) => route.abort());
	await launch(page);
	await finished(page);
	await hasPlots(page, ['STDP curve']);
	complaints.splice(before);
	await shut(page);
});

await check('rename, run again, filter the list, delete', async () => {
	const page = await open(`#/runs/${windowRun}`);
	await finished(page);
	await page.getByRole('button', { name: 'Rename' }).click();
	await page.getByLabel('Name').fill('my first curve');
	await page.getByRole('button', { name: 'Save' }).click();
	await page.getByRole('heading', { level: 1, name: 'my first curve' }).waitFor();
	await page.getByRole('button', { name: 'Run again' }).click();
	await page.waitForFunction((id) => !location.hash.endsWith(id), windowRun);
	await finished(page);
	await page.goto(`${base}/#/runs`);
	await page.getByLabel('State').selectOption('cancelled');
	await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
	await page.getByLabel('State').selectOption('');
	await page.getByLabel('Search').fill('my first curve');
	await page.waitForFunction(() => [...document.querySelectorAll('tbody tr')].every((r) =>
		/my first curve/.test(r.textContent)) && document.querySelector('tbody tr'));
	await page.getByRole('link', { name: 'my first curve' }).last().click();
	await page.getByRole('button', { name: 'Delete' }).click();
	await page.getByRole('button', { name: 'Delete it' }).click();
	await page.waitForURL(/#\/runs$/);
	expected += 1;
	must((await page.request.get(`${base}/v1/runs/${windowRun}`)).status() === 404, 'it is still there');
	await shut(page);
});

await check('a long list comes in pages', async () => {
	const body = JSON.stringify({ spec: { experiment: 'stdp_window', params: { dt_ms: [10] }, seed: '1' }, name: 'one of many' });
	for (let i = 0; i < 27; i += 1)
		must((await fetch(`${base}/v1/runs`, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } })).ok,
			'the server refuses a run');
	const page = await open('#/runs'), rows = page.locator('tbody tr');
	await page.getByLabel('Search').fill('one of many');
	await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 25);
	await page.getByRole('button', { name: 'Load more' }).click();
	await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 27);
	must(!await page.getByRole('button', { name: 'Load more' }).isVisible(), 'it offers more than there is');
	must(new Set(await rows.locator('a').evaluateAll((all) => all.map((a) => a.href))).size === 27, 'a run twice');
	await shut(page);
});

await check('an address that is none says so', async () => {
	const before = complaints.length, page = await open('#/nothing/here');
	await page.getByText('Nothing here').waitFor();
	await page.goto(`${base}/#/runs/00000000000000000000000000000000`);
	await page.getByRole('heading', { name: 'Not found' }).waitFor();
	complaints.splice(before);
	await shut(page);
});

const VIEWS = () => [['#/', 'start'], ['#/new/stdp_window', 'form'], ['#/new/balanced_plastic', 'network form'],
	['#/runs', 'list'], [`#/runs/${songRun}`, 'run'], ['#/data', 'data sets'], ['#/models', 'models'],
	['#/sessions', 'sessions'], [`#/sessions/${sessionId}`, 'session'], ['#/sweeps', 'sweeps'],
	[`#/sweeps/${sweepId}`, 'sweep'], ['#/sweep/new/song_competition', 'sweep form']];

for (const [width, colorScheme] of [[360, 'light'], [360, 'dark'], [1440, 'light'], [1440, 'dark']])
	await check(`at ${width} px, ${colorScheme}: no sideways scroll, no serious finding of axe`, async () => {
		const found = [];
		for (const [hash, name] of VIEWS()) {
			const page = await open(hash, { width, colorScheme });
			if (name === 'run' || name === 'sweep')
				await page.waitForSelector('[data-ready]');
			const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
			if (over > 0)
				found.push(`${name}: ${over} px too wide`);
			await page.evaluate(axe);
			const bad = await page.evaluate(async () => (await window.axe.run()).violations
				.filter((v) => ['serious', 'critical'].includes(v.impact))
				.map((v) => `${v.id}: ${v.nodes[0].html.slice(0, 160)}`));
			found.push(...bad.map((b) => `${name}: ${b}`));
			await shut(page);
		}
		must(!found.length, found.join('\n'));
	});

await check('the page works by keyboard alone', async () => {
	const page = await open('#/');
	await page.keyboard.press('Tab');
	must(await page.evaluate(() => document.activeElement.className) === 'skip', 'the skip link is not first');
	await page.keyboard.press('Enter');
	must(await page.evaluate(() => document.activeElement.tagName) === 'H1', 'it does not lead to the heading');
	await page.keyboard.press('Tab');
	await page.keyboard.press('Enter');
	await page.waitForURL(/#\/new\//);
	await page.waitForSelector('main:not([aria-busy]) h1');
	const ring = await page.getByRole('button', { name: 'Launch' }).evaluate((b) => {
		b.focus({ focusVisible: true });
		return getComputedStyle(b).outlineStyle;
	});
	must(ring === 'solid', 'no focus ring');
	await shut(page);
});

await check('no errors in the console', async () => {
	const refusals = complaints.filter((c) => /Failed to load resource.*(422|404)/.test(c));
	const others = complaints.filter((c) => !refusals.includes(c));
	must(!others.length, others.join('\n'));
	must(refusals.length <= expected, refusals.join('\n'));
});

await browser.close();
await stop(server);
rmSync(dir, { recursive: true, force: true });
process.stdout.write(`1..${done}\n`);
process.exit(failed ? 1 : 0);
