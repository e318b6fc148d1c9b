// Takes the pictures of ../jaeger.md and ../phoenix.md again, from the real programs.
//
//   .ci/backends build collector jaeger phoenix
//   eval "$(.ci/backends start collector jaeger phoenix)"
//   npm install --prefix /tmp/shots playwright-core sharp
//   NODE_PATH=/tmp/shots/node_modules node examples/observability/screenshots/take.mjs [NAME…]
//
// Needs Chromium (CHROMIUM=/usr/bin/chromium). The GenAI tab needs the UI of Jaeger 2.20 or
// later: JAEGER_UI_DIR, or the released program as JAEGER_BIN.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const { chromium } = require('playwright-core');
const sharp = require('sharp');
const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..', '..');
const chosen = process.argv.slice(2);
const need = name => process.env[name] ?? (() => { throw new Error(`${name} is not set, see the top of this file`); })();

/** Runs the quickstart with these variables, gives the id of its trace. */
function quickstart(variables) {
  const env = { ...process.env, ...variables };
  const run = spawnSync('cargo', ['run', '--quiet', '--example', 'quickstart'], { cwd: root, env, encoding: 'utf8' });
  const id = /\/trace\/([0-9a-f]{32})/.exec(run.stdout)?.[1];
  if (!id) throw new Error(`the quickstart printed no link\n${run.stdout}\n${run.stderr}`);
  return id;
}

const CAPTURE = { OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'SPAN_ONLY' };
const NOBODY = { OPENAI_API_KEY: 'a key', OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' };
const collector = { OTEL_EXPORTER_OTLP_ENDPOINT: need('OTELCOL_GRPC_URL'), OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };
const jaeger = need('JAEGER_URL');

quickstart(collector);
const failed = quickstart({ ...collector, ...CAPTURE, ...NOBODY });
const run = quickstart({ ...collector, ...CAPTURE });

const profile = mkdtempSync(join(tmpdir(), 'shots-'));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  viewport: { width: 1280, height: 800 },
  timezoneId: 'UTC',
  args: [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
  ],
});
// Nothing is fetched from anywhere but here.
await context.route('**/*', route => {
  const { hostname, protocol } = new URL(route.request().url());
  return hostname === '127.0.0.1' || ['data:', 'blob:'].includes(protocol) ? route.continue() : route.abort();
});
const page = context.pages()[0] ?? (await context.newPage());

const go = async url => {
  await page.goto(url, { waitUntil: 'networkidle' });
  await page.waitForTimeout(1500);
};
const open = async name => {
  await page.locator('.span-name', { hasText: name }).first().click();
  await page.waitForTimeout(500);
};
const click = async locator => {
  await locator.click();
  await page.waitForTimeout(500);
};
/** A picture from the top of the page down to `height`, small in bytes. */
const shoot = async (name, height) => {
  const file = join(here, `${name}.png`);
  await page.mouse.move(0, 0);
  await page.setViewportSize({ width: 1280, height });
  await page.waitForTimeout(500);
  const small = sharp(await page.screenshot()).png({ palette: true, colours: 160, dither: 0, effort: 10 });
  const { size } = await small.toFile(file);
  console.log(`${name}.png ${Math.round(size / 1024)} kB`);
};

const pictures = {
  'jaeger-search': async () => {
    const tags = encodeURIComponent(JSON.stringify({ 'gen_ai.request.model': 'gpt-4o-mini' }));
    await go(`${jaeger}/search?service=trip-planner&lookback=1h&limit=20&tags=${tags}`);
    await shoot('jaeger-search', 652);
  },
  'jaeger-waterfall': async () => {
    await go(`${jaeger}/trace/${run}`);
    await shoot('jaeger-waterfall', 440);
  },
  'jaeger-genai': async () => {
    await go(`${jaeger}/trace/${run}`);
    await open('chat gpt-4o-mini');
    await click(page.getByText('Other GenAI Attributes').first());
    await shoot('jaeger-genai', 1160);
  },
  'jaeger-tool': async () => {
    await go(`${jaeger}/trace/${run}`);
    await open('execute_tool get_weather');
    await shoot('jaeger-tool', 820);
  },
  'jaeger-moment': async () => {
    await go(`${jaeger}/trace/${run}`);
    await open('think');
    await click(page.getByText('Details', { exact: true }).first());
    await shoot('jaeger-moment', 740);
  },
  'jaeger-failed': async () => {
    await go(`${jaeger}/trace/${failed}`);
    await open('chat gpt-4o-mini');
    await click(page.getByText('Details', { exact: true }).first());
    await shoot('jaeger-failed', 650);
  },
};

if (process.env.PHOENIX_URL) {
  const phoenix = quickstart({
    ...CAPTURE,
    OTEL_EXPORTER_OTLP_ENDPOINT: need('PHOENIX_OTLP_HTTP_URL'),
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
  });
  pictures.phoenix = async () => {
    await page.waitForTimeout(5000); // its costs come a moment later
    await page.setViewportSize({ width: 1280, height: 980 });
    await go(`${process.env.PHOENIX_URL}/redirects/traces/${phoenix}`);
    await click(page.getByText('chat gpt-4o-mini').last());
    await page.waitForTimeout(1500);
    await shoot('phoenix', 980);
  };
}

for (const [name, take] of Object.entries(pictures)) {
  if (chosen.length === 0 || chosen.includes(name)) {
    await page.setViewportSize({ width: 1280, height: 800 });
    await take();
  }
}
await context.close();
rmSync(profile, { recursive: true });
