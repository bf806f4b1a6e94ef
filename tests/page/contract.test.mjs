/* contract.test.mjs - what the server answers is what its OpenAPI document says, route by route.
 *
 * Every answer's status, content type and JSON body are held against the document the server gives out; so are the
 * bodies of requests that it takes. Each operation of the document must be asked for here, and be seen to answer in each media
 * type that the document gives it. */
/* SPDX-License-Identifier: MIT */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const STDPD = process.env.STDPD ?? join(ROOT, 'build/bin/stdpd');

if (!existsSync(join(ROOT, 'web/node_modules/ajv'))) {
	process.stdout.write('skipped: web/node_modules is not installed (npm ci --ignore-scripts in web/)\n');
	process.exit(0);
}
const require = createRequire(join(ROOT, 'web/package.json'));
const Ajv = require('ajv/dist/2020').default;
const addFormats = require('ajv-formats').default;

const dir = mkdtempSync(join(tmpdir(), 'stdpd-contract-'));
const args = ['--data', dir, '--listen', '127.0.0.1:0', '--log-level', 'error'];
if (process.env.STDP_RUN)
	args.push('--runner', process.env.STDP_RUN);
const server = spawn(STDPD, args, { stdio: ['ignore', 'pipe', 'inherit'] });
const base = await new Promise((found) => {
	server.stdout.once('data', (text) => found(/http:\/\/\S+/.exec(String(text))[0]));
});

const document = await (await fetch(`${base}/openapi.json`)).json();
const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema(document, 'document');
const validators = new Map();
const asked = new Set();
const seen = new Set();
const wrong = [];
let token = '';

/* References are resolved in the document. */
function problems(schema, value) {
	const key = JSON.stringify(schema);
	if (!validators.has(key))
		validators.set(key, ajv.compile(JSON.parse(key.replaceAll('"$ref":"#/', '"$ref":"document#/'))));
	const valid = validators.get(key);
	return valid(value) ? '' : ajv.errorsText(valid.errors).slice(0, 300);
}

function check(where, operation, answer, text) {
	const { responses } = operation;
	const declared = responses[answer.status] ?? responses[`${String(answer.status)[0]}XX`];
	const type = (answer.headers.get('content-type') ?? '').split(';')[0];
	if (!declared)
		return `status ${answer.status} is not declared`;
	if (!declared.content)
		return text.length ? 'a body, none is declared' : '';
	const content = declared.content[type];
	if (!content)
		return `content type ${type} is not declared`;
	if (!content.schema || !type.endsWith('json') || type.includes('ndjson'))
		return '';
	const bad = problems(content.schema, JSON.parse(text));
	return bad && `body: ${bad}`;
}

/* One request; `pattern` names its operation, `path` is what is asked for. */
async function ask(method, pattern, path = pattern, body = undefined, more = {}) {
	const operation = document.paths[pattern]?.[method.toLowerCase()];
	const where = `${method} ${path}`;
	if (!operation)
		throw new Error(`${method} ${pattern} is not in the document`);
	asked.add(`${method} ${pattern}`);
	const headers = { ...more };
	if (token)
		headers.Authorization = `Bearer ${token}`;
	const raw = typeof body === 'string';
	if (body !== undefined && !raw)
		headers['Content-Type'] = 'application/json';
	const answer = await fetch(base + path, { method, headers, body: body === undefined || raw ? body : JSON.stringify(body),
		signal: AbortSignal.timeout(20000) });
	const stream = (answer.headers.get('content-type') ?? '').startsWith('text/event-stream');
	const text = stream ? '' : await answer.text();
	if (stream)
		await answer.body.cancel();
	let bad = check(where, operation, answer, text);
	if (answer.status === 200)
		seen.add(`${method} ${pattern} ${(answer.headers.get('content-type') ?? '').split(';')[0]}`);
	const schema = operation.requestBody?.content['application/json']?.schema;
	if (!bad && answer.ok && schema && body !== undefined)
		bad = problems(schema, body) && `its request, taken by the server: ${problems(schema, body)}`;
	if (bad)
		wrong.push(`${where}: ${bad}`);
	const json = text && /^application\/(problem\+)?json/.test(answer.headers.get('content-type') ?? '') ? JSON.parse(text) : null;
	return { status: answer.status, json };
}

const spec = {
	duration_ms: 60,
	populations: {
		in: { model: 'poisson_generator', size: 3, params: { rate: 300 } },
		cell: { model: 'iaf_psc_exp', size: 2, params: { I_e: 700 } },
	},
	projections: {
		syn: { source: 'in', target: 'cell', connect: { rule: 'all_to_all' }, synapse: { model: 'stdp_pair', weight: 0.5 } },
	},
	record: {
		spikes: ['in', 'cell'],
		states: [{ population: 'cell', variables: ['V_m'], every_ms: 1 }],
		weights: [{ projection: 'syn', every_ms: 5, bins: 4 }, { projection: 'syn', every_ms: 20 },
			{ projection: 'syn', every: 'update', synapses: [0, 1, 4] }],
		rates: [{ population: 'cell', bin_ms: 10 }],
	},
};
const views = [['/spikes', '?population=in'], ['/raster', '?population=in&cols=5'], ['/rates', '?population=in&bin_ms=20'],
	['/isi', '?population=in'], ['/states/{variable}', '?population=cell'], ['/weights', '?projection=syn'],
	['/weights/histogram', '?projection=syn'], ['/weights/matrix', '?projection=syn'], ['/weights/series', '?projection=syn'],
	['/stdp', '?projection=syn'], ['/why', '?projection=syn&synapse=0'], ['/psth', '?population=cell&events_ms=15,50'],
	['/artifacts', ''], ['/artifacts/{name}', ''], ['/tables/{name}', ''], ['/results', ''], ['/spec', ''], ['/events', '']];

/* Once for each media type that the document has for it. */
async function inEach(pattern, path) {
	for (const type of Object.keys(document.paths[pattern].get.responses[200].content))
		await ask('GET', pattern, path, undefined, { Accept: type });
}

async function look(kind, id) {
	for (const [tail, query] of views) {
		const path = tail.replace('{variable}', 'V_m').replace('{name}', tail.startsWith('/tables') ? 'window' : 'spec.json');
		await inEach(`/v1/${kind}/{id}${tail}`, `/v1/${kind}/${id}${path}${query}`);
	}
	const files = (await ask('GET', `/v1/${kind}/{id}/artifacts`, `/v1/${kind}/${id}/artifacts`)).json.items;
	for (const file of [files[0], files.find((f) => f.name === 'log.txt') ?? files[0], files.at(-1)])
		await ask('GET', `/v1/${kind}/{id}/artifacts/{name}`, file.href);
	await ask('GET', `/v1/${kind}/{id}`, `/v1/${kind}/${id}`);
	await ask('GET', `/v1/${kind}/{id}`, `/v1/${kind}/${'0'.repeat(32)}`);
}

const made = async (pattern, body, more) => (await ask('POST', pattern, pattern, body, more)).json.id;

async function plain() {
	for (const path of ['/', '/livez', '/readyz', '/openapi.json', '/docs', '/v1', '/v1/me', '/v1/models', '/v1/presets'])
		await ask('GET', path);
	for (const file of ['index.html', 'main.js', 'style.css', 'icon.svg'])
		await ask('GET', '/{file}', `/${file}`);
	await ask('GET', '/v1/models/{kind}/{name}', '/v1/models/plasticity/stdp_pair');
	await ask('GET', '/v1/models/{kind}/{name}', '/v1/models/plasticity/none');
	await ask('GET', '/v1/schemas/{name}', '/v1/schemas/spec');
	await ask('GET', '/v1/presets/{name}', '/v1/presets/latency');
	await inEach('/v1/rules/{name}/window', '/v1/rules/stdp_pair/window?dt_ms=-10,10');
	await ask('POST', '/v1/specs/validate', undefined, { spec });
	await ask('POST', '/v1/specs/validate', undefined, { spec: { ...spec, duration_ms: -1 } });
	await ask('GET', '/v1/runs', '/v1/runs?page_size=none');
}

async function runs() {
	const wait = { Prefer: 'wait=20' };
	const id = await made('/v1/runs', { spec, name: 'a', tags: ['t'] }, wait);
	const window = await made('/v1/runs', { preset: 'stdp_window' }, wait);
	await look('runs', id);
	await ask('GET', '/v1/runs/{id}', `/v1/runs/${window}`);
	await inEach('/v1/runs/{id}/tables/{name}', `/v1/runs/${window}/tables/window`);
	await ask('GET', '/v1/runs/{id}/why', `/v1/runs/${id}/why?projection=syn&synapse=2`); /* to be simulated again */
	for (const tail of ['/provenance', '/log'])
		await ask('GET', `/v1/runs/{id}${tail}`, `/v1/runs/${id}${tail}`);
	await ask('GET', '/v1/runs');
	await ask('PATCH', '/v1/runs/{id}', `/v1/runs/${id}`, { name: 'b', notes: 'n', tags: [] });
	const other = await made('/v1/runs', { spec: { ...spec, duration_ms: 1e7 } });
	for (let i = 0, { status } = { status: 202 }; i < 400 && status === 202; i++) { /* 200 when it has been cancelled */
		({ status } = await ask('POST', '/v1/runs/{id}/cancel', `/v1/runs/${other}/cancel`, {}));
		await new Promise((go) => setTimeout(go, 25));
	}
	for (const act of ['rerun', 'verify', 'cancel'])
		await ask('POST', `/v1/runs/{id}/${act}`, `/v1/runs/${id}/${act}`, {});
	await ask('GET', '/v1/compare', `/v1/compare?runs=${id},${window}`);
	await ask('GET', '/v1/events', `/v1/events?topics=run:${id}`);
	await ask('DELETE', '/v1/runs/{id}', `/v1/runs/${window}`);
	await ask('POST', '/v1/runs', undefined, { spec: { ...spec, duration_ms: 'long' } });
}

async function sweeps() {
	const id = await made('/v1/sweeps', { spec, axes: [{ path: '/projections/syn/synapse/weight', values: [0.4, 0.5] }], seeds: ['1'] });
	for (const tail of ['', '/spec', '/table', '/events'])
		await inEach(`/v1/sweeps/{id}${tail}`, `/v1/sweeps/${id}${tail}`);
	await ask('GET', '/v1/sweeps');
	await ask('POST', '/v1/sweeps/{id}/cancel', `/v1/sweeps/${id}/cancel`, {});
	for (let i = 0; i < 200 && (await ask('DELETE', '/v1/sweeps/{id}', `/v1/sweeps/${id}`)).status === 409; i++)
		await new Promise((go) => setTimeout(go, 25));
}

async function sessions() {
	const id = await made('/v1/sessions', { spec, name: 's' });
	const on = (act, body) => ask('POST', `/v1/sessions/{id}/${act}`, `/v1/sessions/${id}/${act}`, body);
	await on('step', { duration_ms: 60 });
	await on('step', { duration_ms: -1 });
	await on('stimuli', { spikes: { population: 'cell', weight: 1 } });
	await on('parameters', { set: { population: 'cell', params: { I_e: 500 } } });
	await on('play', { speed: 1 });
	await on('pause', {});
	const point = (await on('checkpoints', {})).json.id;
	await on('restore', { checkpoint_id: point });
	await on('save', {});
	const fork = (await on('fork', { name: 'f' })).json.id;
	await ask('GET', '/v1/sessions/{id}/checkpoints', `/v1/sessions/${id}/checkpoints`);
	await look('sessions', id);
	await ask('GET', '/v1/sessions');
	await ask('DELETE', '/v1/sessions/{id}', `/v1/sessions/${fork}`);
}

async function others() {
	const data = (await ask('POST', '/v1/datasets', '/v1/datasets?name=d', 't_ms,neuron\n1,0\n2,1\n', { 'Content-Type': 'text/csv' })).json.id;
	await ask('GET', '/v1/datasets');
	await ask('GET', '/v1/datasets/{id}', `/v1/datasets/${data}`);
	await ask('DELETE', '/v1/datasets/{id}', `/v1/datasets/${data}`);
	const hook = await made('/v1/webhooks', { url: 'https://hook.invalid/', events: ['run.failed'] });
	for (const tail of ['', '/deliveries'])
		await ask('GET', `/v1/webhooks/{id}${tail}`, `/v1/webhooks/${hook}${tail}`);
	await ask('GET', '/v1/webhooks');
	await ask('POST', '/v1/webhooks/{id}/test', `/v1/webhooks/${hook}/test`, {});
	await ask('PATCH', '/v1/webhooks/{id}', `/v1/webhooks/${hook}`, { active: false });
	await ask('DELETE', '/v1/webhooks/{id}', `/v1/webhooks/${hook}`);
	const first = (await ask('POST', '/v1/tokens', undefined, { name: 'all', scopes: ['read', 'run', 'session', 'admin'] })).json;
	await ask('GET', '/v1/tokens'); /* 401: from now on one is needed */
	({ token } = first);
	await ask('GET', '/v1/tokens');
	await ask('GET', '/v1/me');
	await ask('GET', '/v1/tokens/{id}', `/v1/tokens/${first.id}`);
	await ask('PATCH', '/v1/tokens/{id}', `/v1/tokens/${first.id}`, { name: 'every' });
	await ask('DELETE', '/v1/tokens/{id}', `/v1/tokens/${first.id}`);
}

let failed = false;
function tell(n, what, details) {
	failed ||= details.length > 0;
	process.stdout.write(`${details.length ? 'not ok' : 'ok'} ${n} - ${what}\n${details.map((d) => `  # ${d}\n`).join('')}`);
}
try {
	for (const part of [plain, runs, sweeps, sessions, others])
		await part();
	const all = Object.entries(document.paths).flatMap(([path, of]) => Object.keys(of).map((m) => `${m.toUpperCase()} ${path}`));
	tell(1, 'answers are as the OpenAPI document says', wrong);
	/* Tables are left by experiments; of a session none is there to be found. */
	const types = Object.entries(document.paths).flatMap(([path, of]) => Object.entries(of).flatMap(([m, operation]) =>
		Object.keys(operation.responses[200]?.content ?? {}).map((type) => `${m.toUpperCase()} ${path} ${type}`)));
	tell(2, `each of its ${all.length} operations is asked for`, all.filter((one) => !asked.has(one)));
	tell(3, `each of its ${types.length} media types is answered`, types.filter((one) => !seen.has(one) && !one.includes('sessions/{id}/tables')));
} catch (e) {
	tell(1, 'the pass over all routes ends', [String(e.stack ?? e), ...wrong]);
} finally {
	server.kill('SIGTERM');
	await new Promise((done) => server.once('exit', done));
	rmSync(dir, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
