// The program with a page, and the browser that looks at it.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const PROGRAM = path.join(process.env.CARGO_TARGET_DIR ?? path.join(HERE, 'target'), 'debug', 'tracing-genai-browser-fixture');
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Starts the program; `say(line)` gives its answer. */
export async function fixture(address = '127.0.0.1:0', capture = 'off', token = undefined) {
  const child = spawn(PROGRAM, [address, capture, token].filter(Boolean), { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = [];
  const early = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    const answer = JSON.parse(line);
    if (waiting.length) waiting.shift()(answer);
    else early.push(answer);
  });
  const answer = () => (early.length ? Promise.resolve(early.shift()) : new Promise((done) => waiting.push(done)));
  const ended = new Promise((done) => child.once('exit', done));
  child.once('error', (error) => { throw error; });
  const { url } = await answer();
  return {
    url,
    port: Number(new URL(url).port),
    say(line) {
      child.stdin.write(`${line}\n`);
      return answer();
    },
    async quit() {
      child.stdin.end('quit\n');
      await ended;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** A browser with a profile of its own. */
export async function browser() {
  const profile = mkdtempSync(path.join(os.tmpdir(), 'viewer-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    viewport: { width: 1600, height: 900 },
    args: [
      '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
    ],
  });
  return {
    context,
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** A connection that can be cut: everything goes through to `port` until `cut()`, and again after `mend()`. */
export async function wire(port) {
  const sockets = new Set();
  let whole = true;
  const server = net.createServer((near) => {
    if (!whole) return near.destroy();
    const far = net.connect(port, '127.0.0.1');
    for (const [one, other] of [[near, far], [far, near]]) {
      sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    cut() {
      whole = false;
      for (const socket of sockets) socket.destroy();
    },
    mend() {
      whole = true;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** Waits until `ask()` gives something true, and gives it. */
export async function until(ask, what, within = 15_000) {
  const end = Date.now() + within;
  for (;;) {
    const found = await ask();
    if (found) return found;
    if (Date.now() > end) throw new Error(`${what}: not within ${within} ms`);
    await new Promise((done) => setTimeout(done, 20));
  }
}
