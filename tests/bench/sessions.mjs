// sessions.mjs - live sessions at scale: a large one branches and is saved, thousands are parked, some are awake.
//
// `make load` (1000 sessions; SESSIONS=10000: as many as the server keeps). Prints figures beside their targets,
// asserts nothing about time.
// SPDX-License-Identifier: MIT
import os from 'node:os'
import { ask, end, pause, quantile, resident, say, start } from './desk.mjs'

const SESSIONS = Number(process.env.SESSIONS ?? 1000)
const SYNAPSES = Number(process.env.SYNAPSES ?? 1e7)
const AWAKE = 50
const ROUNDS = 5
const FORK_TARGET_MS = 50
const WAKE_TARGET_MS = 100

const ms = (x) => `${x.toFixed(1)} ms`
const judged = (x, target) => `${ms(x)} (target: under ${target} ms${x < target ? '' : ', MISSED'})`

async function must(method, where, body, status) {
  const answer = await ask(method, where, body)
  if (answer.status !== status) throw new Error(`${method} ${where}: ${answer.status} ${answer.text}`)
  return { ...answer, json: answer.text ? JSON.parse(answer.text) : null }
}

const net = (cells, perCell) => ({
  resolution_ms: 0.1,
  duration_ms: 1000,
  seed: '7',
  populations: {
    in: { model: 'poisson_generator', size: cells, params: { rate: 5 } },
    cell: { model: 'iaf_psc_exp', size: cells },
  },
  projections: {
    wire: {
      source: 'in', target: 'cell', connect: { rule: 'fixed_indegree', indegree: perCell },
      synapse: { model: 'stdp_pair', weight: 1, delay_ms: 1, params: { w_max: 2 } },
    },
  },
  record: { spikes: ['cell'] },
})

// ---- one large network ----

// How long others' steps take while it happens: the longest silence.
async function silence(id, during) {
  let over = false
  let longest = 0
  const asking = (async () => {
    while (!over) {
      const one = await must('POST', `/v1/sessions/${id}/step`, { duration_ms: 0.1 }, 200)
      longest = Math.max(longest, one.ms)
    }
  })()
  await during()
  over = true
  await asking
  return longest
}

async function large() {
  const cells = Math.round(SYNAPSES / 1000)
  const made = await must('POST', '/v1/sessions', { spec: net(cells, 1000), name: 'large' }, 201)
  const id = made.json.id
  await must('POST', `/v1/sessions/${id}/step`, { duration_ms: 20 }, 200)
  const forks = []
  for (let i = 0; i < ROUNDS; i++) {
    const fork = await must('POST', `/v1/sessions/${id}/fork`, { name: `branch ${i}` }, 201)
    forks.push(fork.ms)
    await must('POST', `/v1/sessions/${fork.json.id}/step`, { duration_ms: 0.1 }, 200)
    await must('DELETE', `/v1/sessions/${fork.json.id}`, undefined, 204)
    await must('POST', `/v1/sessions/${id}/step`, { duration_ms: 1 }, 200)
  }
  forks.sort((a, b) => a - b)
  say(`${SYNAPSES.toExponential(0)} plastic synapses: made in ${ms(made.ms)}; forked in ${judged(quantile(forks, 0.5), FORK_TARGET_MS)}, ` +
    `${ROUNDS} times, the slowest ${ms(forks.at(-1))}`)
  const saved = []
  let quiet = 0
  for (let i = 0; i < ROUNDS; i++) {
    quiet = Math.max(quiet, await silence(id, async () => {
      saved.push((await must('POST', `/v1/sessions/${id}/checkpoints`, undefined, 201)).ms)
    }))
  }
  saved.sort((a, b) => a - b)
  say(`a checkpoint of it, safe on the disk: ${ms(quantile(saved, 0.5))}; ` +
    `steps of 0.1 ms meanwhile took ${ms(quiet)} at most`)
  await must('DELETE', `/v1/sessions/${id}`, undefined, 204)
}

// ---- many small ones ----

// `clients` at once take numbers from 0 to n - 1.
async function each(n, clients, what) {
  let next = 0
  await Promise.all(Array.from({ length: clients }, async () => {
    while (next < n) await what(next++)
  }))
}

async function awake() {
  let n = 0
  for (let token = ''; ;) {
    const page = (await must('GET', `/v1/sessions?state=awake&page_size=500${token}`, undefined, 200)).json
    n += page.items.length
    if (!page.next_page_token) return n
    token = `&page_token=${page.next_page_token}`
  }
}

async function many() {
  const ids = []
  const began = performance.now()
  await each(SESSIONS, 4, async (i) => {
    const id = (await must('POST', '/v1/sessions', { spec: net(20, 10), name: `s${i}` }, 201)).json.id
    await must('POST', `/v1/sessions/${id}/step`, { duration_ms: 10 }, 200)
    ids.push(id)
  })
  say(`${SESSIONS} sessions made, stepped and (but ${AWAKE}) parked in ${((performance.now() - began) / 1000).toFixed(1)} s`)
  await pause(1000)
  say(`${SESSIONS} sessions, ${await awake()} of them awake: the server's memory ${resident('VmRSS').toFixed(0)} MiB, ` +
    `${resident('VmHWM').toFixed(0)} MiB at most`)

  const wakes = []
  for (let i = 0; i < Math.min(SESSIONS / 2, 200); i++) {
    wakes.push((await must('POST', `/v1/sessions/${ids[i]}/step`, { duration_ms: 1 }, 200)).ms)
    await pause(20)
  }
  wakes.sort((a, b) => a - b)
  say(`a parked one answers a step while ${AWAKE} others are awake: p50 ${judged(quantile(wakes, 0.5), WAKE_TARGET_MS)}, ` +
    `p99 ${judged(quantile(wakes, 0.99), WAKE_TARGET_MS)}`)

  const steps = []
  await each(1000, 1, async (i) => {
    steps.push((await must('POST', `/v1/sessions/${ids[i % 25]}/step`, { duration_ms: 1 }, 200)).ms)
  })
  steps.sort((a, b) => a - b)
  say(`those that were just used: p50 ${ms(quantile(steps, 0.5))}, p99 ${ms(quantile(steps, 0.99))}`)

  const lists = []
  for (let i = 0; i < 20; i++) lists.push((await must('GET', '/v1/sessions?page_size=500', undefined, 200)).ms)
  lists.sort((a, b) => a - b)
  say(`a list of 500 of ${SESSIONS}: p50 ${ms(quantile(lists, 0.5))}, slowest ${ms(lists.at(-1))}`)
}

try {
  say(`load average before: ${os.loadavg()[0].toFixed(1)} on ${os.cpus().length} cores`)
  await start('--sessions-max', String(SESSIONS + ROUNDS + 1), '--sessions-awake', String(AWAKE))
  await large()
  await many()
} finally {
  await end()
}
