// desk.mjs - a server in a folder of its own, what is asked of it, and figures: for load.mjs and sessions.mjs.
//
// STDPD: the program.
// SPDX-License-Identifier: MIT
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import http from 'node:http'
import os from 'node:os'
import path from 'node:path'

const stdpd = process.env.STDPD ?? path.resolve('build/bin/stdpd')
const dir = mkdtempSync(path.join(os.tmpdir(), 'stdpd-load-'))
const agent = new http.Agent({ keepAlive: true, maxSockets: 256 })

let server
export let base

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
export const say = (text) => console.log(`load: ${text}`)
export const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]

export async function start(...options) {
  server = spawn(stdpd, ['--listen', '127.0.0.1:0', '--data', path.join(dir, 'data'), '--log-level', 'error',
    ...options], { stdio: ['ignore', 'pipe', 'inherit'] })
  base = await new Promise((resolve, reject) => {
    let text = ''
    server.stdout.on('data', (part) => {
      text += part
      const found = /listening on (http:\S+)/.exec(text)
      if (found) resolve(found[1])
    })
    server.on('exit', (code) => reject(new Error(`the server ended with ${code}`)))
  })
}

export async function end() {
  server?.removeAllListeners('exit')
  server?.kill('SIGKILL')
  await pause(300)
  rmSync(dir, { recursive: true, force: true })
}

// One request: status, body, milliseconds until the whole answer was there.
export function ask(method, where, body) {
  return new Promise((resolve, reject) => {
    const began = performance.now()
    const request = http.request(base + where, { method, agent, headers: body ? { 'Content-Type': 'application/json' } : {} },
      (answer) => {
        let text = ''
        answer.on('data', (part) => { text += part })
        answer.on('end', () => resolve({ status: answer.statusCode, text, ms: performance.now() - began }))
      })
    request.on('error', reject)
    request.end(body ? JSON.stringify(body) : undefined)
  })
}

// MiB of the server alone; `what`: VmRSS (now) or VmHWM (at most, so far).
export function resident(what) {
  const text = readFileSync(`/proc/${server.pid}/status`, 'utf8')
  return Number(new RegExp(`${what}:\\s*(\\d+)`).exec(text)[1]) / 1024
}
