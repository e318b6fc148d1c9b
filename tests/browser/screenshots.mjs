// The pictures of the README, taken from the real quickstart: node tests/browser/screenshots.mjs
// Needs `cargo build --example quickstart` before, and `npm ci` here.

import { spawn } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { browser, until } from './fixture.mjs';

const ROOT = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');
const PROGRAM = path.join(process.env.CARGO_TARGET_DIR ?? path.join(ROOT, 'target'), 'debug/examples/quickstart');
const PLACE = path.join(ROOT, 'examples/observability/screenshots');
const LARGEST = 150_000;

const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(OPENAI|OTEL|DISPLAY|WAYLAND)/.test(name)));
const child = spawn(PROGRAM, ['--stay'], { stdio: ['pipe', 'pipe', 'inherit'], env });
let said = '';
child.stdout.on('data', (data) => { said += data; });
const ended = new Promise((done) => child.once('exit', done));
const url = (await until(() => /The page: (\S+)/.exec(said), 'the address of the page'))[1];

mkdirSync(PLACE, { recursive: true });
const chrome = await browser();
const page = await chrome.context.newPage();
const rest = (ms) => new Promise((done) => setTimeout(done, ms));

async function picture(name, { width, height, scheme = 'light' }, place) {
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ colorScheme: scheme });
  await page.goto(`${url}${place}`);
  await page.mouse.move(width - 1, height - 1);
  await rest(600);
  const file = path.join(PLACE, `viewer-${name}.png`);
  await page.screenshot({ path: file });
  const { size } = statSync(file);
  console.log(`${path.relative(ROOT, file)} ${size} bytes`);
  if (size > LARGEST) throw new Error(`${name} is larger than ${LARGEST} bytes`);
}

try {
  await page.goto(url);
  for (let runs = 1; runs <= 3; runs += 1) {
    if (runs > 1) child.stdin.write('\n');
    await until(() => page.evaluate((n) => document.querySelectorAll('#run-list .row:not([hidden])').length === n, runs), 'a run');
    await until(() => page.evaluate(() => document.querySelector('#run-list .row.open') === null), 'its end');
    await rest(1_200);
  }
  const { trace, calls } = await page.evaluate(async () => {
    const rows = [...document.querySelectorAll('#waterfall .row:not([hidden])')].sort((a, b) => a.index - b.index);
    return { trace: rows[0].span.trace, calls: rows.filter((row) => row.span.kind === 'llm' && !row.item.moment).map((row) => row.span.id) };
  });
  await picture('run', { width: 1280, height: 620 }, '#/');
  await picture('detail', { width: 1440, height: 760 }, `#/run/${trace}/${calls.at(-1)}`);
  await picture('dark', { width: 1440, height: 760, scheme: 'dark' }, `#/run/${trace}/${calls[0]}`);
  await picture('phone', { width: 360, height: 740 }, `#/run/${trace}`);
} finally {
  await chrome.close();
  child.stdin.end('q\n');
  await ended;
}
