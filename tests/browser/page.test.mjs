// The page in a real browser, beside the program it is about. Each test is a promise; figures are printed.

import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until, wire } from './fixture.mjs';
import { chrome, fine, open, overflow, program, rows, shows, stat, undo } from './page.mjs';

const ASSETS = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../src/viewer/assets');
const figure = (what, value) => console.log(`  figure: ${what}: ${value}`);

test('an agent runs, the page shows it without reload, and its numbers are those that were exported', async () => {
  const running = await program();
  const page = await open(running.url);
  await until(async () => /Nothing has run yet/.test(await page.textContent('#run-empty')), 'what the page is');
  assert.equal(await page.textContent('#runs-empty'), 'No run yet.');
  await page.evaluate(() => { window.same = true; });
  const exported = await running.say('run');
  await shows(page, 'waterfall', 'invoke_agent trip-planner');
  await shows(page, 'run-list', 'trip-planner');
  await until(async () => (await stat(page, 'Calls')) === '2', 'two calls');
  assert.equal(await page.evaluate(() => window.same), true);

  // What is shown is what the page's own formats make of the exported numbers.
  const shown = await page.evaluate(async ({ spans, totals }) => {
    const format = await import('./assets/format.js');
    return {
      spans: spans.map((span) => ({ ...span, cost: span.cost === undefined ? '' : format.dollars(span.cost), time: format.duration(span.micros) })),
      totals: { ...totals, cost: format.dollars(totals.cost), input: format.count(totals.input), output: format.count(totals.output) },
    };
  }, exported);
  assert.equal(shown.spans.length, 8);
  const drawn = await page.evaluate(() => [...document.querySelectorAll('#waterfall .row:not([hidden])')].filter((row) => !row.classList.contains('note')).map((row) => ({
    id: row.item.key, name: row.name.textContent, tokens: row.tokens.textContent, cost: row.cost.textContent, time: row.label.textContent,
  })));
  for (const span of shown.spans) {
    const row = drawn.find((one) => one.id === span.id);
    assert.ok(row, `${span.name} is on the page`);
    assert.equal(row.name, span.name);
    assert.equal(row.time, span.time);
    if (span.input !== undefined) assert.deepEqual([row.tokens, row.cost], [`${span.input} → ${span.output}`, span.cost]);
  }
  assert.equal(drawn.filter((row) => row.name === 'chat gpt-4o-mini' && row.cost.startsWith('$0.0000')).length, 2);
  assert.equal(await stat(page, 'Calls'), String(exported.totals.calls));
  assert.equal(await stat(page, 'Tools'), String(exported.totals.tools));
  assert.equal(await stat(page, 'Input'), `${shown.totals.input} (256 cached)`);
  assert.equal(await stat(page, 'Output'), shown.totals.output);
  assert.equal(await stat(page, 'Cost'), shown.totals.cost);
  assert.match(await stat(page, 'First chunk'), /ms/);
  const root = drawn.find((row) => row.id === exported.root);
  assert.deepEqual([root.tokens, root.cost], [`${exported.totals.input} → ${exported.totals.output}`, shown.totals.cost]);

  await page.goto(`${running.url}#/models`);
  const cells = await page.locator('#models tbody td').allTextContents();
  assert.deepEqual(cells.slice(0, 4), ['openai', shown.totals.cost, '2', '']);
  await fine(page);
});

test('what a span says is in its detail: messages where they are captured, arguments, attributes, and a hint where not', async () => {
  const running = await program('127.0.0.1:0', 'redacted');
  const page = await open(running.url);
  await running.say('run');
  await shows(page, 'waterfall', 'chat gpt-4o-mini');
  await page.locator('#waterfall .row', { hasText: 'chat gpt-4o-mini' }).first().click();
  const detail = page.locator('#detail');
  await detail.locator('.turn.r-user', { hasText: 'A rainy weekend in Paris, please.' }).waitFor();
  await detail.locator('.turn.answer .tooling', { hasText: 'get_weather' }).waitFor();
  assert.doesNotMatch(await detail.textContent(), /sk-proj-abc/);
  await detail.locator('.filter').fill('temperature');
  assert.equal(await detail.locator('.pair:not([hidden])').count(), 1);
  await page.locator('#waterfall .row', { hasText: 'execute_tool get_weather' }).click();
  await detail.locator('[data-part="arguments"]', { hasText: '"city": "Paris"' }).waitFor();
  await detail.locator('[data-part="result"]', { hasText: 'light rain' }).waitFor();
  await fine(page);

  const silent = await program();
  const other = await open(silent.url);
  await silent.say('run');
  await shows(other, 'waterfall', 'chat gpt-4o-mini');
  await other.locator('#waterfall .row', { hasText: 'chat gpt-4o-mini' }).first().click();
  await other.locator('#detail .hint', { hasText: '.capture(CaptureMode::Redacted)' }).waitFor();
});

test('open spans are seen while they are open, and end', async () => {
  const running = await program();
  const page = await open(running.url);
  await running.say('open');
  await shows(page, 'waterfall', 'execute_tool ask_a_person');
  const bar = page.locator('#waterfall .row', { hasText: 'ask_a_person' }).locator('.bar.open');
  await bar.waitFor();
  const label = () => page.locator('#waterfall .row', { hasText: 'ask_a_person' }).locator('.label').textContent();
  const first = await label();
  await until(async () => (await label()) !== first, 'a clock that moves on');
  assert.equal(await stat(page, 'Spans'), '2 (2 open)');
  await running.say('close');
  await until(async () => (await stat(page, 'Spans')) === '2', 'the end of both');
  await until(async () => (await bar.count()) === 0, 'a bar that is closed');
  assert.equal(await page.locator('.run-head .s-completed').count(), 1);
  await fine(page);
});

test('a failed run is red, says why, and its failed spans are one key away', async () => {
  const running = await program();
  const page = await open(running.url);
  await running.say('fail');
  await shows(page, 'waterfall', 'rate_limit_exceeded');
  await shows(page, 'run-list', 'rate_limit_exceeded');
  assert.equal(await stat(page, 'Errors'), '2');
  assert.match(await stat(page, 'Cost'), /^≥ \$/);
  await page.keyboard.press('e');
  await page.keyboard.press('e');
  assert.match(await page.textContent('#waterfall .row.cursor'), /chat gpt-4o-mini.*rate_limit_exceeded/);
  await fine(page);
});

test('when the connection is cut the page says so, comes back by itself, and has what happened meanwhile', async () => {
  const running = await program();
  const line = await wire(running.port);
  undo.push(() => line.close());
  const page = await open(line.url);
  await running.say('run');
  await shows(page, 'run-list', 'trip-planner');
  await page.locator('#waterfall .row', { hasText: 'think' }).click();
  const address = page.url();
  line.cut();
  await until(() => page.evaluate(() => document.getElementById('live').textContent === 'reconnecting…'), 'word of the cut');
  await running.say('runs 3');
  line.mend();
  await shows(page, 'run-list', 'agent-2');
  await until(() => page.evaluate(() => document.getElementById('live').dataset.state === 'live'), 'word that it is live');
  assert.equal((await rows(page, 'run-list')).length, 4);
  assert.equal(page.url(), address);
  await shows(page, 'waterfall', 'think');
  await fine(page);
});

test('a program that ends says goodbye, and one that begins anew is taken for a new one', async () => {
  const running = await program();
  const page = await open(running.url);
  await running.say('run');
  await shows(page, 'waterfall', 'trip-planner');
  await running.quit();
  await until(() => page.evaluate(() => document.getElementById('live').textContent === 'the program has ended'), 'the end');
  await shows(page, 'waterfall', 'trip-planner');

  const again = await program(`127.0.0.1:${running.port}`);
  await again.say('runs 1');
  await shows(page, 'run-list', 'agent-0');
  assert.equal((await rows(page, 'run-list')).length, 1);
  await shows(page, 'waterfall', 'agent-0');
  await fine(page);
});

test('hostile text stays text: nothing runs, nothing is made of it, and what hides is seen', async () => {
  const running = await program('127.0.0.1:0', 'full');
  const page = await open(running.url);
  const before = await page.evaluate(() => document.querySelectorAll('script, img, iframe, object, b, i[onmouseover]').length);
  await running.say('hostile');
  await shows(page, 'waterfall', '<script>window.pwned = 1</script>');
  const count = await page.evaluate(() => document.querySelectorAll('#waterfall .row:not([hidden])').length);
  for (let i = 0; i < count; i += 1) {
    await page.evaluate((at) => [...document.querySelectorAll('#waterfall .row:not([hidden])')].find((row) => row.index === at)?.click(), i);
    await until(() => page.evaluate(() => document.querySelector('#detail .list') !== null), 'the detail');
  }
  await page.fill('#search', '<img');
  await until(async () => /Spans [1-9]/.test(await page.textContent('#scope-spans')), 'found spans');
  await page.fill('#search', '');
  await page.goto(`${running.url}#/models`);
  await page.locator('#models tbody tr').first().waitFor();
  const after = await page.evaluate(() => ({
    pwned: window.pwned, title: document.title,
    made: document.querySelectorAll('script, img, iframe, object, b, i[onmouseover]').length,
    models: document.getElementById('models').textContent,
    raw: /[\u202a-\u202e\u2066-\u2069\u200b\x1b\x07]/.test([document.body.textContent, ...[...document.querySelectorAll('[title]')].map((one) => one.title)].join()),
  }));
  assert.equal(after.pwned, undefined);
  assert.equal(after.made, before);
  assert.equal(after.raw, false);
  assert.match(after.models, /invoice\\u\{202e\}fdp\.exe\\u\{200b\}\\u\{2066\}/);
  assert.match(after.models, /\\u\{1b\}\[31mred/);
  assert.equal(await overflow(page), 0);
  await fine(page);
});

test('10,000 spans: few rows in the document, wherever one scrolls', async () => {
  const running = await program();
  const page = await open(running.url);
  await running.say('many 10000');
  await until(async () => (await stat(page, 'Spans')) === '10,000', '10,000 spans', 30_000);
  await until(() => page.evaluate(() => document.getElementById('waterfall').getAttribute('aria-rowcount') === '10001'), 'all rows');
  const cdp = await chrome.context.newCDPSession(page);
  await cdp.send('Performance.enable');
  const work = async () => {
    const { metrics } = await cdp.send('Performance.getMetrics');
    const of = (name) => metrics.find((one) => one.name === name).value * 1e3;
    return of('ScriptDuration') + of('LayoutDuration') + of('RecalcStyleDuration');
  };
  const before = await work();
  const scroll = await page.evaluate(async () => {
    const scroller = document.getElementById('waterfall');
    await new Promise((done) => setTimeout(done, 500));
    window.long.length = 0;
    const frames = [];
    let last = performance.now();
    const top = scroller.scrollHeight - scroller.clientHeight;
    for (let i = 0; i <= 120; i += 1) {
      // Far jumps and small steps.
      scroller.scrollTop = i % 3 === 0 ? (top * ((i * 37) % 120)) / 120 : scroller.scrollTop + 90;
      await new Promise(requestAnimationFrame);
      frames.push(performance.now() - last);
      last = performance.now();
    }
    await new Promise((done) => setTimeout(done, 100));
    frames.sort((a, b) => a - b);
    return { frames: frames.length, long: [...window.long], median: frames[60], p95: frames[115], rows: scroller.querySelectorAll('.row').length, elements: document.querySelectorAll('*').length };
  });
  const each = ((await work()) - before) / scroll.frames;
  figure('scrolling 10,000 spans, script, style and layout', `${each.toFixed(1)} ms for each frame`);
  figure('scrolling 10,000 spans, frame time', `median ${scroll.median.toFixed(1)} ms, p95 ${scroll.p95.toFixed(1)} ms`);
  figure('long tasks while scrolling', scroll.long.length ? scroll.long.map((ms) => `${ms} ms`).join(', ') : 'none over 50 ms');
  figure('elements in the document', `${scroll.elements}, of them ${scroll.rows} rows`);
  assert.ok(scroll.rows < 80, `${scroll.rows} rows`);
  await page.locator('#waterfall').focus();
  await page.keyboard.press('End');
  assert.match((await rows(page, 'waterfall')).at(-1), /\w/);
  assert.equal(await page.getAttribute('#waterfall .row.cursor', 'aria-rowindex'), '10001');
  await fine(page);
});

test('some hundred changed spans among 10,000 are taken in, however often', async () => {
  const running = await program();
  const page = await open(running.url);
  const took = await page.evaluate(async () => {
    const { Store } = await import('./assets/store.js');
    const store = new Store();
    const trace = 'f'.repeat(32);
    store.watch(trace);
    const id = (n) => n.toString(16).padStart(16, '0');
    const span = (n) => ({ id: id(n), parent: n === 1 ? undefined : id(Math.ceil(n / 40)), trace, kind: 'tool', name: `tool ${n}`, start: n * 1_000, end: n * 1_000 + 900, status: 'completed' });
    store.apply({ spans: Array.from({ length: 10_000 }, (_, n) => span(n + 1)) });
    store.tree.rows();
    const times = [];
    for (let round = 0; round < 40; round += 1) {
      const spans = Array.from({ length: 500 }, (_, n) => (n % 2 ? span(10_001 + round * 250 + n) : { ...span(1 + n * 19), status: 'failed' }));
      const begin = performance.now();
      store.apply({ spans });
      store.tree.rows();
      times.push(performance.now() - begin);
    }
    times.sort((a, b) => a - b);
    const failed = [...store.tree.nodes.values()].filter((node) => node.span.status === 'failed').length;
    return { median: times[20], worst: times[39], spans: store.tree.nodes.size, failed, rows: store.tree.rows().length };
  });
  figure('500 changed spans among 10,000', `median ${took.median.toFixed(2)} ms, worst ${took.worst.toFixed(2)} ms`);
  assert.deepEqual([took.spans, took.rows, took.failed], [15_125, 15_125, 250]);
});

test('spans that made room for newer ones leave the page', async () => {
  const running = await program();
  const page = await open(running.url);
  await running.say('many 24000');
  let state;
  undo.push(() => figure('of 24,000 spans', state));
  await until(async () => {
    const [kept, rows] = await page.evaluate(() => [
      Number(document.getElementById('books').textContent.split(' ')[0].replaceAll(',', '')),
      Number(document.getElementById('waterfall').getAttribute('aria-rowcount')) - 1,
    ]);
    state = `${kept} kept, ${rows} rows, ${await stat(page, 'Spans')} in all; ${await page.textContent('#books')}`;
    return kept > 0 && kept <= 20_000 && rows === kept && (await stat(page, 'Spans')) === '24,000';
  }, 'as many rows as spans are kept', 30_000);
  assert.match(await page.textContent('#books'), /older forgotten/);
  await fine(page);
});

test('of 1,000 spans a second none is missing on the page', async () => {
  const running = await program();
  const page = await open(running.url);
  await page.evaluate(() => { window.long.length = 0; });
  const exported = await running.say('rate 1000 5');
  const begin = Date.now();
  const all = exported.spans.length.toLocaleString('en');
  await until(async () => (await stat(page, 'Spans')) === all, `${all} spans`);
  await until(() => page.evaluate((n) => document.getElementById('waterfall').getAttribute('aria-rowcount') === String(n + 1), exported.spans.length), 'all rows');
  const behind = Date.now() - begin;
  const long = await page.evaluate(() => window.long);
  figure('spans in 5 s', all);
  figure('the page is complete after the program has flushed', `${behind} ms later`);
  figure('long tasks meanwhile', long.length ? `${long.length}, longest ${Math.max(...long)} ms` : 'none over 50 ms');
  assert.match(await page.textContent('#books'), /kept$/);
  await fine(page);
});

test('the page paints with hundreds of runs, and its assets stay under 150 kB', async () => {
  const running = await program();
  await running.say('runs 200');
  const paints = [];
  for (let i = 0; i < 5; i += 1) {
    const page = await open(running.url);
    paints.push(await until(() => page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime), 'a paint'));
  }
  paints.sort((a, b) => a - b);
  figure('first contentful paint, cold to warm', `best ${paints[0].toFixed(0)} ms, median ${paints[2].toFixed(0)} ms, worst ${paints[4].toFixed(0)} ms`);
  const size = readdirSync(ASSETS).reduce((sum, name) => sum + statSync(path.join(ASSETS, name)).size, 0);
  figure('assets', `${(size / 1e3).toFixed(1)} kB in ${readdirSync(ASSETS).length} files`);
  assert.ok(size < 150_000);
});

test('the whole page can be walked with the keyboard', async () => {
  const running = await program();
  const page = await open(running.url);
  await running.say('run');
  await running.say('fail');
  await until(async () => (await rows(page, 'run-list')).length === 2, 'two runs');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await until(() => page.evaluate(() => location.hash.startsWith('#/run/')), 'a run');
  await until(() => page.evaluate(() => document.activeElement.id === 'waterfall'), 'the focus on the waterfall');
  await shows(page, 'waterfall', 'execute_tool get_weather');
  const all = (await rows(page, 'waterfall')).length;
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowLeft');
  await until(async () => (await rows(page, 'waterfall')).length === 1, 'a collapsed tree');
  assert.match((await rows(page, 'waterfall'))[0], /\+7/);
  assert.equal(await page.getAttribute('#waterfall .row.cursor', 'aria-expanded'), 'false');
  await page.keyboard.press('ArrowRight');
  await until(async () => (await rows(page, 'waterfall')).length === all, 'an open tree');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await until(() => page.evaluate(() => !document.getElementById('detail').hidden), 'the detail');
  const before = page.url();
  await page.keyboard.press('ArrowDown');
  await until(() => page.url() !== before, 'the next span');
  assert.match(await page.textContent('#detail h2'), /\w/);
  await page.keyboard.press('m');
  await until(async () => (await rows(page, 'waterfall')).every((row) => !row.includes('plan.refined')), 'no moments');
  await page.keyboard.press('m');
  await page.keyboard.press('z');
  await page.locator('button', { hasText: 'Whole run' }).waitFor();
  await page.keyboard.press('z');
  await page.keyboard.press('?');
  assert.equal(await page.evaluate(() => document.getElementById('keys').open), true);
  await page.keyboard.press('Escape');
  assert.equal(await page.evaluate(() => document.getElementById('keys').open), false);
  await page.keyboard.press('Escape');
  await until(() => page.evaluate(() => document.getElementById('detail').hidden), 'no detail');
  await page.keyboard.press('Escape');
  await until(() => page.evaluate(() => location.hash === '#/'), 'the list');
  await page.keyboard.press('/');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'search');
  await page.keyboard.type('get_weather');
  await until(async () => (await page.getAttribute('#scope-spans', 'aria-pressed')) === 'true', 'spans that were found');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await until(() => page.evaluate(() => /^#\/run\/\w{32}\/\w{16}$/.test(location.hash)), 'the span that was found');
  await fine(page);
});

test('filters and search find runs at once and spans inside', async () => {
  const running = await program('127.0.0.1:0', 'full');
  const page = await open(running.url);
  await running.say('run');
  await running.say('fail');
  await running.say('runs 10');
  await until(async () => (await rows(page, 'run-list')).length === 12, 'twelve runs');
  await page.selectOption('#by-status', 'failed');
  await until(async () => (await rows(page, 'run-list')).length === 1, 'the failed one');
  assert.match(await page.textContent('#sums'), /^1 of 12 runs · 1 failed · ≥ \$[\d.]+ · 2 calls/);
  await page.selectOption('#by-status', '');
  await page.selectOption('#by-agent', 'agent-3');
  await until(async () => (await rows(page, 'run-list')).length === 2, 'two of an agent');
  await page.selectOption('#by-agent', '');
  await page.selectOption('#by-model', 'gpt-4o-mini-2024-07-18');
  await until(async () => (await rows(page, 'run-list')).length === 2, 'two with a model');
  await page.selectOption('#by-model', '');
  await page.fill('#search', 'a rainy weekend');
  await until(async () => (await page.textContent('#scope-spans')) === 'Spans 2', 'two spans by what was said');
  await page.locator('#run-list .row:not([hidden])').first().click();
  await until(() => page.evaluate(() => /^#\/run\/\w{32}\/\w{16}$/.test(location.hash)), 'its address');
  await page.locator('#detail .turn', { hasText: 'A rainy weekend' }).waitFor();
  await fine(page);
});

test('back, forward and links lead to runs and spans; the latest run is followed until one is chosen', async () => {
  const running = await program();
  const page = await open(running.url);
  const first = await running.say('run');
  await shows(page, 'waterfall', 'think');
  await running.say('runs 1');
  await shows(page, 'waterfall', 'agent-0');
  assert.equal(await page.getAttribute('#follow', 'aria-pressed'), 'true');
  await page.locator('#run-list .row', { hasText: 'trip-planner' }).click();
  await shows(page, 'waterfall', 'think');
  assert.equal(await page.getAttribute('#follow', 'aria-pressed'), 'false');
  await page.locator('#waterfall .row', { hasText: 'think' }).click();
  await until(() => page.evaluate(() => !document.getElementById('detail').hidden), 'the detail');
  await running.say('runs 1');
  await until(async () => (await rows(page, 'run-list')).length === 3, 'three runs');
  await shows(page, 'waterfall', 'think');
  const link = page.url();
  await page.goBack();
  assert.equal(page.url(), `${running.url}#/run/${first.trace}`);
  await page.goBack();
  await shows(page, 'waterfall', 'agent-0');
  await page.goForward();
  await shows(page, 'waterfall', 'think');
  const other = await open(link);
  await until(async () => (await other.textContent('#detail h2')) === 'think', 'the span of the link');
  await shows(other, 'waterfall', 'think');
  assert.equal(await other.getAttribute('#waterfall .row[aria-selected="true"]', 'aria-level'), '2');
  await other.goto(`${running.url}#/run/${'0'.repeat(31)}1`);
  await until(async () => /not here any more/.test(await other.textContent('#run-empty')), 'word of a run that is gone');
  await fine(other);
});

test('what one looks at stays where it is while the run grows', async () => {
  const running = await program();
  const page = await open(running.url, { height: 500 });
  const growing = running.say('rate 200 3');
  await until(async () => Number((await stat(page, 'Spans'))?.split(' ')[0]) > 60, 'some spans');
  await page.locator('#waterfall .row:not([hidden])').nth(4).click();
  await until(() => page.evaluate(() => !document.getElementById('detail').hidden), 'the detail');
  await page.evaluate(() => { document.getElementById('waterfall').scrollTop = 300; });
  const place = () => page.evaluate(() => ({ top: document.getElementById('waterfall').scrollTop, hash: location.hash }));
  const before = await place();
  await growing;
  await until(async () => (await stat(page, 'Spans'))?.includes('open') === false, 'the end');
  assert.deepEqual(await place(), before);
  await fine(page);
});

test('it fits from 320 to 1600 px, in both themes, and a thumb hits what it aims at', async () => {
  const running = await program('127.0.0.1:0', 'redacted');
  await running.say('hostile');
  const exported = await running.say('fail');
  const call = exported.spans.find((span) => span.name === 'chat gpt-4o-mini').id;
  for (const scheme of ['light', 'dark']) {
    for (const width of [320, 360, 640, 768, 1024, 1600]) {
      const page = await open(running.url, { width, height: 780, scheme });
      for (const place of ['#/', `#/run/${exported.trace}`, `#/run/${exported.trace}/${call}`, '#/models']) {
        await page.goto(running.url + place);
        await page.evaluate(() => new Promise((done) => setTimeout(done, 250)));
        assert.equal(await overflow(page), 0, `${place} at ${width} px`);
        const cut = await page.evaluate(() => [...document.querySelectorAll('.top > *, .title button, .filters *')]
          .filter((one) => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth).map((one) => one.outerHTML.slice(0, 90)));
        assert.deepEqual(cut, [], `${place} at ${width} px`);
        if (width !== 360) continue;
        const small = await page.evaluate(() => [...document.querySelectorAll('button, a, select, input, summary, .row')]
          .filter((one) => one.checkVisibility() && !one.closest('dialog'))
          .map((one) => [one.outerHTML.slice(0, 90), one.getBoundingClientRect()])
          .filter(([, box]) => box.width > 0 && box.height > 0 && box.height < 39.5)
          .map(([html, box]) => `${html} ${box.height}`));
        assert.deepEqual(small, [], place);
      }
      await fine(page);
      await page.close();
    }
  }
});

test('on a phone there is one pane at a time, with a way back', async () => {
  const running = await program();
  const page = await open(running.url, { width: 360, height: 740 });
  await running.say('run');
  await shows(page, 'run-list', 'trip-planner');
  assert.equal(await page.isVisible('#waterfall'), false);
  await page.locator('#run-list .row').first().click();
  await shows(page, 'waterfall', 'think');
  assert.equal(await page.isVisible('#run-list'), false);
  await page.locator('#waterfall .row', { hasText: 'think' }).click();
  await page.locator('#detail .list').first().waitFor();
  assert.equal(await page.isVisible('#waterfall'), false);
  await page.locator('#detail .back').click();
  await page.locator('#waterfall').waitFor();
  await page.locator('#run .back').click();
  await page.locator('#run-list').waitFor();
  await fine(page);
});

test('light and dark: as the system says, unless somebody chose, and readable in both', async () => {
  const running = await program();
  const page = await open(running.url, { scheme: 'dark' });
  const page_color = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await page_color();
  await page.emulateMedia({ colorScheme: 'light' });
  const light = await page_color();
  assert.notEqual(dark, light);
  for (const [scheme, expected] of [['light', 'light'], ['dark', 'dark']]) {
    await page.click('#theme');
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), expected, scheme);
    assert.equal(await page_color(), expected === 'dark' ? dark : light);
    const weak = await page.evaluate(() => {
      const style = getComputedStyle(document.documentElement);
      const luminance = (name) => {
        const probe = document.createElement('i');
        probe.style.color = style.getPropertyValue(name);
        document.body.append(probe);
        const [r, g, b] = getComputedStyle(probe).color.match(/\d+/g).map((n) => n / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        probe.remove();
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const out = [];
      for (const ground of ['--surface', '--raised', '--page', '--hover', '--chosen']) {
        for (const ink of ['--text', '--soft', '--accent', '--good', '--warn', '--bad', '--money']) {
          const [a, b] = [luminance(ground), luminance(ink)].sort((x, y) => y - x);
          const ratio = (a + 0.05) / (b + 0.05);
          if (ratio < 4.5) out.push(`${ink} on ${ground}: ${ratio.toFixed(2)}`);
        }
      }
      return out;
    });
    assert.deepEqual(weak, [], scheme);
  }
  await page.reload();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  await page.click('#theme');
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), undefined);
  await fine(page);
});

test('numbers and foreign text have the forms of the terminal', async () => {
  const running = await program();
  const page = await open(running.url);
  const shown = await page.evaluate(async () => {
    const { count, dollars, duration, elapsed, plural, tick, visible } = await import('./assets/format.js');
    return {
      durations: [0, 30, 400, 9_949, 9_950, 120_000, 999_499, 999_500, 1_240_000, 59_949_999, 59_950_000, 125_000_000, 3_599_600_000, 3_720_000_000].map(duration),
      elapsed: [999_000, 59_999_000, 61_999_000].map(elapsed),
      dollars: [0, 0.0000432, 0.0000817, 1e-9, 1e-12, 0.012345, 0.5, 0.9999, 1.2345, 1234.5, 12345678].map(dollars),
      counts: [140, 1_234_567].map(count),
      ticks: [0, 50, 2_500, 500_000, 30e6, 90e6, 86_400e6, 129_600e6].map(tick),
      plurals: [plural(1, 'call'), plural(0, 'tool')],
      texts: ['a\tb\nc', 'user\u202enimda', 'x\ufe00\ufe01 \ufe02', '❤\ufe0f 1\ufe0f\u20e3', 'hi\u{e0049}\u{e007f}', '\u0085\u2028\u3164\ufffe', 'Zürich 東京 שלום नमस्ते'].map((text) => visible(text)),
    };
  });
  assert.deepEqual(shown, {
    durations: ['0 ms', '30 µs', '400 µs', '9.9 ms', '10 ms', '120 ms', '999 ms', '1.0 s', '1.2 s', '59.9 s', '1 min 00 s', '2 min 05 s', '1 h 00 min', '1 h 02 min'],
    elapsed: ['<1 s', '59 s', '1 min 01 s'],
    dollars: ['$0.00', '$0.0000432', '$0.0000817', '$0.000000001', '<$0.000000001', '$0.0123', '$0.50', '$1.00', '$1.23', '$1,234.50', '$12,345,678.00'],
    counts: ['140', '1,234,567'],
    ticks: ['0', '50 µs', '2.5 ms', '500 ms', '30 s', '1 min 30 s', '1 d', '1 d 12 h'],
    plurals: ['1 call', '0 tools'],
    texts: ['a\tb\\nc', 'user\\u{202e}nimda', 'x\ufe00\\u{fe01} \\u{fe02}', '❤\ufe0f 1\ufe0f\u20e3', 'hi\\u{e0049}\\u{e007f}', '\\u{85}\\u{2028}\\u{3164}\\u{fffe}', 'Zürich 東京 שלום नमस्ते'],
  });
});
