// load.mjs - what the service takes: requests a second of its main routes, runs accepted durably, 200 watchers of
// one run, how soon a running run is cancelled, and how long reads take while simulations keep every core busy.
//
// `make load`. Prints figures beside their targets, asserts nothing about time. STDPD: the program. wrk (if there
// is one) asks for the main routes; the rest is asked from here, by the same machine.
// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process'
import http from 'node:http'
import os from 'node:os'
import { ask, base, end, pause, quantile, resident, say, start } from './desk.mjs'

const cores = os.cpus().length
const SECONDS = Number(process.argv[2] ?? 3)
const WATCHERS = 200
const TARGET_MS = 50
const CANCELS = 100
const CANCEL_MS = 100

async function postRun(body) {
  const answer = await ask('POST', '/v1/runs', body)
  if (answer.status !== 202 && answer.status !== 201) throw new Error(`POST /v1/runs: ${answer.status} ${answer.text}`)
  return JSON.parse(answer.text).id
}

async function waitFor(id, state) {
  for (;;) {
    const run = JSON.parse((await ask('GET', `/v1/runs/${id}?wait=5`)).text)
    if (run.state === state) return
    if (run.finished_at) throw new Error(`run ${id} is ${run.state}`)
    await pause(20)
  }
}

// ---- requests a second ----

function wrk(where) {
  const text = execFileSync('wrk', ['-t1', '-c16', `-d${SECONDS}s`, '--latency', base + where], { encoding: 'utf8' })
  const bad = /Non-2xx or 3xx responses: (\d+)/.exec(text)
  if (bad) throw new Error(`${where}: ${bad[1]} answers are no success`)
  return `${Math.round(Number(/Requests\/sec:\s*([\d.]+)/.exec(text)[1]))} requests/s, p99 ${/99%\s+(\S+)/.exec(text)[1]}`
}

function routes(id) {
  try {
    execFileSync('wrk', ['-v'], { stdio: 'ignore' })
  } catch (e) {
    if (e.code === 'ENOENT') {
      say('wrk is not installed: requests/s skipped')
      return
    }
  }
  for (const where of ['/livez', '/v1', '/main.js', '/v1/models', `/v1/runs/${id}`, '/v1/runs?page_size=50',
    `/v1/runs/${id}/results`, `/v1/runs/${id}/tables/window`]) {
    say(`GET ${where.replace(id, '{id}')}: ${wrk(where)}`)
  }
}

// ---- accepting, watching, reading while all cores simulate ----

const slow = { preset: 'song_competition', overrides: [{ path: '/duration_ms', value: 1e9 }] }

// From asking until the run is cancelled and its results, as far as they go, are stored.
async function cancelling() {
  const times = []
  for (let i = 0; i < CANCELS; i++) {
    const id = await postRun({ ...slow, seed: String(i) })
    while (JSON.parse((await ask('GET', `/v1/runs/${id}`)).text).state !== 'running') await pause(5)
    await pause(50) // it is under way
    const began = performance.now()
    await ask('POST', `/v1/runs/${id}/cancel`)
    await waitFor(id, 'cancelled')
    times.push(performance.now() - began)
  }
  times.sort((a, b) => a - b)
  const p99 = quantile(times, 0.99)
  say(`cancelling a running run, ${CANCELS} times: p50 ${quantile(times, 0.5).toFixed(1)} ms, ` +
    `p99 ${p99.toFixed(1)} ms (target: under ${CANCEL_MS} ms${p99 < CANCEL_MS ? '' : ', MISSED'})`)
}

async function accepting() {
  const until = performance.now() + SECONDS * 1000
  const times = []
  await Promise.all(Array.from({ length: 16 }, async () => {
    while (performance.now() < until) {
      const answer = await ask('POST', '/v1/runs', { preset: 'stdp_window', seed: String(times.length) })
      if (answer.status !== 202) throw new Error(`POST /v1/runs: ${answer.status} ${answer.text}`)
      times.push(answer.ms)
    }
  }))
  times.sort((a, b) => a - b)
  say(`POST /v1/runs, 16 clients: ${Math.round(times.length / SECONDS)} runs/s accepted durably, ` +
    `p50 ${quantile(times, 0.5).toFixed(1)} ms, p99 ${quantile(times, 0.99).toFixed(1)} ms`)
}

async function watching(id) {
  const first = []
  let events = 0
  const began = performance.now()
  const streams = await Promise.all(Array.from({ length: WATCHERS }, () => new Promise((resolve, reject) => {
    const request = http.get(`${base}/v1/runs/${id}/events`, { agent: false }, (answer) => {
      let heard = false
      answer.on('data', (part) => {
        if (!heard) first.push(performance.now() - began)
        heard = true
        events += String(part).split('\nevent: ').length
      })
      answer.on('error', () => {})
      resolve(request)
    })
    request.on('error', reject)
  })))
  await pause(SECONDS * 1000)
  for (const request of streams) request.destroy()
  first.sort((a, b) => a - b)
  if (first.length < WATCHERS) throw new Error(`${WATCHERS - first.length} watchers heard nothing`)
  say(`${WATCHERS} watchers of one run: all connected and told within ${first.at(-1).toFixed(0)} ms, ` +
    `${Math.round(events / SECONDS)} events/s in all`)
}

// Reads at a steady 100 a second, whether the one before is back or not.
async function reading(id) {
  const paths = [`/v1/runs/${id}`, '/v1/runs?page_size=50', `/v1/runs/${id}/tables/window`, '/v1', `/v1/runs/${id}/results`]
  const asked = []
  const rounds = 2 * SECONDS * 100
  for (let i = 0; i < rounds; i++) {
    asked.push(ask('GET', paths[i % paths.length]))
    await pause(10)
  }
  const answers = await Promise.all(asked)
  const wrong = answers.filter((a) => a.status !== 200)
  if (wrong.length) throw new Error(`${wrong.length} reads failed: ${wrong[0].status}`)
  const times = answers.map((a) => a.ms).sort((a, b) => a - b)
  const p99 = quantile(times, 0.99)
  say(`reads while ${cores} cores simulate, ${rounds} of them: p50 ${quantile(times, 0.5).toFixed(1)} ms, ` +
    `p99 ${p99.toFixed(1)} ms (target: under ${TARGET_MS} ms${p99 < TARGET_MS ? '' : ', MISSED'}), max ${times.at(-1).toFixed(1)} ms`)
}

try {
  say(`load average before: ${os.loadavg()[0].toFixed(1)} on ${cores} cores`)
  await start('--queue-max', '1000000', '--slots', String(cores))
  const done = await postRun({ preset: 'stdp_window' })
  await waitFor(done, 'succeeded')
  routes(done)
  await cancelling()
  const busy = []
  for (let i = 0; i < cores; i++) busy.push(await postRun({ ...slow, seed: String(i + 1) }))
  for (const id of busy) await waitFor(id, 'running')
  await reading(done)
  await watching(busy[0])
  await accepting()
  say(`peak memory of the server: ${resident('VmHWM').toFixed(0)} MiB`)
} finally {
  await end()
}
