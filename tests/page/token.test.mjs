/* token.test.mjs - a server with access tokens asks for one on its page, once. */
/* SPDX-License-Identifier: MIT */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const STDPD = process.env.STDPD ?? join(ROOT, 'build/bin/stdpd');
const BROWSERS = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const LONG_MS = 60000;

const browserPath = BROWSERS.find((p) => p && existsSync(p));
function skip(why) {
	process.stdout.write(`skipped: ${why}\n`);
	process.exit(0);
}
if (!browserPath)
	skip('there is no Chromium');
if (!existsSync(join(ROOT, 'web/node_modules/playwright-core')))
	skip('web/node_modules is not installed (npm ci --ignore-scripts in web/)');
const { chromium } = createRequire(join(ROOT, 'web/package.json'))('playwright-core');

const dir = mkdtempSync(join(tmpdir(), 'stdpd-token-'));
const token = execFileSync(STDPD, ['--data', dir, 'token', 'add', '--name', 'page', '--scopes', 'read'],
	{ encoding: 'utf8' }).trim().split('\n').at(-1);
const args = ['--data', dir, '--listen', '127.0.0.1:0'];
if (process.env.STDP_RUN)
	args.push('--runner', process.env.STDP_RUN);
const server = spawn(STDPD, args, { stdio: ['ignore', 'pipe', 'ignore'] });
const base = await new Promise((found) => {
	server.stdout.once('data', (text) => found(/http:\/\/\S+/.exec(String(text))[0]));
});
const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
let failed = 0;
try {
	const page = await browser.newPage();
	page.setDefaultTimeout(LONG_MS);
	await page.goto(base);
	await page.fill('dialog[open] input', 'wrong');
	await page.click('dialog button[value=go]');
	/* A wrong one is asked for again. */
	await page.waitForSelector('dialog[open] input');
	await page.fill('dialog[open] input', token);
	await page.click('dialog button[value=go]');
	await page.waitForSelector('dialog', { state: 'detached' });
	const [answer] = await Promise.all([
		page.waitForResponse((r) => r.url().includes('/v1/runs')),
		page.goto(`${base}/#/runs`),
	]);
	if (answer.status() !== 200)
		throw new Error(`/v1/runs answers ${answer.status()}`);
	if (await page.locator('dialog').count() || await page.locator('.problem').count())
		throw new Error(`asked again, or a problem: ${await page.innerText('body')}`);
	process.stdout.write('ok 1 - the page asks for a token, once it has one no more\n');
} catch (e) {
	failed = 1;
	process.stdout.write(`not ok 1 - the page asks for a token\n${String(e.message ?? e).replace(/^/gm, '  # ')}\n`);
}
await browser.close();
server.kill();
await new Promise((end) => server.once('close', end));
rmSync(dir, { recursive: true, force: true });
process.exit(failed);
