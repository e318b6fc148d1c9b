// What strangers, hostile text, lost connections and people who see or type otherwise meet. Each test is a promise.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from './fixture.mjs';
import { chrome, fine, open, program, rows, shows, stat, undo } from './page.mjs';

const TOKEN = 'a-token-that-nobody-guesses';
const state = (page) => page.evaluate(() => document.getElementById('live').textContent);
const choose = (page, text) => page.locator('#waterfall .row', { hasText: text }).first().click();

/** Lets the program say that it is so many seconds later than it is. */
async function later(page, by) {
  await page.addInitScript((seconds) => {
    const listen = EventSource.prototype.addEventListener;
    const moved = (data) => JSON.stringify({ ...data, now: data.now + seconds * 1e6 });
    EventSource.prototype.addEventListener = function on(name, f) {
      listen.call(this, name, name === 'hello' ? (event) => f({ data: moved(JSON.parse(event.data)) }) : f);
    };
  }, by);
  await page.reload();
}

test('the token is gone from the address at once, and in no request that follows', async () => {
  const running = await program('127.0.0.1:0', 'off', TOKEN);
  assert.ok(running.url.includes(TOKEN));
  const page = await open(`${running.url}#/models`);
  assert.equal(page.url(), `http://127.0.0.1:${running.port}/#/models`);
  const asked = [];
  page.on('request', (request) => asked.push(request.url(), JSON.stringify(request.headers().referer ?? '')));
  await page.reload();
  await page.goto(`${page.url().split('#')[0]}#/`);
  await running.say('run');
  await shows(page, 'waterfall', 'trip-planner');
  await choose(page, 'think');
  await page.locator('#detail .list').first().waitFor();
  await page.goBack();
  await page.goBack();
  assert.equal(page.url().includes(TOKEN), false);
  assert.ok(asked.length > 20);
  assert.deepEqual(asked.filter((one) => one.includes(TOKEN)), []);
  await fine(page);
});

test('a page whose program was replaced by one with another token says that it is not let in', async () => {
  const running = await program('127.0.0.1:0', 'off', TOKEN);
  const page = await open(running.url);
  await running.quit();
  await until(async () => (await state(page)) === 'the program has ended', 'the end');
  await program(`127.0.0.1:${running.port}`, 'off', `${TOKEN}-2`);
  await until(async () => /^not let in/.test(await state(page)), 'word that it is not let in');
});

test('when the program is gone, what was open does not seem to go on', async () => {
  const running = await program();
  const page = await open(running.url);
  await running.say('open');
  await shows(page, 'waterfall', 'ask_a_person');
  assert.equal(await page.textContent('.run-head .running'), 'running');
  await running.kill();
  await until(async () => (await page.textContent('.run-head .running')) === 'running when last heard of', 'doubt');
  const moved = await page.evaluate(async () => {
    const { Store } = await import('./assets/store.js');
    const store = new Store();
    store.hold(true);
    const before = store.now();
    await new Promise((done) => setTimeout(done, 20));
    const held = store.now() - before;
    store.hold(false);
    return [held, store.now() > before];
  });
  assert.deepEqual(moved, [0, true]);
  await fine(page);
});

test('a browser whose clock is wrong by a day shows how long things run by the clock of the program', async () => {
  const running = await program();
  await running.say('open');
  for (const clock of [-86_400_000, 86_400_000]) {
    const page = await open(running.url, { clock });
    await shows(page, 'waterfall', 'ask_a_person');
    assert.match(await stat(page, 'Duration'), /^(<1|\d+) s$/);
    assert.match((await rows(page, 'run-list'))[0], /now|\d+ s ago/);
    await fine(page);
  }
});

test('a run of some days ago says so', async () => {
  const running = await program();
  await running.say('run');
  const page = await open(running.url);
  await later(page, 3 * 86_400 + 60);
  await shows(page, 'run-list', '3 d ago');
  await fine(page);
});

test('while an open span changes, the focus, the caret, and all that did not change stay', async () => {
  const running = await program();
  const page = await open(running.url);
  await running.say('open');
  await running.say('progress 1');
  await shows(page, 'waterfall', 'ask_a_person');
  await choose(page, 'ask_a_person');
  const part = (name) => page.locator(`#detail [data-part="${name}"]`);
  await part('events').waitFor();
  await part('attributes').locator('.filter').fill('tool');
  await page.keyboard.press('ArrowLeft');
  await page.evaluate(() => { for (const one of document.querySelectorAll('#detail [data-part]')) one.before = true; });
  for (const n of [2, 3]) {
    await running.say(`progress ${n}`);
    await until(async () => (await part('events').locator('.n').textContent()) === String(n), `${n} events`);
  }
  const held = () => page.evaluate(() => [document.activeElement.className, document.activeElement.value, document.activeElement.selectionStart]);
  assert.deepEqual(await held(), ['filter', 'tool', 3]);
  const kept = await page.evaluate(() => [...document.querySelectorAll('#detail [data-part]')].map((one) => [one.dataset.part, one.before === true]));
  assert.deepEqual(kept, [['events', false], ['attributes', true], ['ids', true]]);
  await part('events').locator('summary').focus();
  await running.say('progress 4');
  await until(async () => (await part('events').locator('.n').textContent()) === '4', 'four events');
  assert.equal(await page.evaluate(() => document.activeElement.closest('[data-part]')?.dataset.part), 'events');
  await fine(page);
});

test('numbers are shown as they were written, also those that JavaScript rounds', async () => {
  const running = await program('127.0.0.1:0', 'full');
  const page = await open(running.url);
  await running.say('numbers');
  await shows(page, 'waterfall', 'lookup');
  await choose(page, 'counter');
  await page.locator('#detail .pair', { hasText: 'app.order' }).waitFor();
  assert.match(await page.locator('#detail .pair', { hasText: 'app.order' }).textContent(), /9007199254740993/);
  await choose(page, 'lookup');
  await page.locator('#detail [data-part="arguments"]', { hasText: '12345678901234567890' }).waitFor();
  await fine(page);
});

test('why a run failed stands at its top in words, and beside its failed spans', async () => {
  const running = await program('127.0.0.1:0', 'redacted');
  const page = await open(running.url);
  await running.say('words');
  await shows(page, 'waterfall', 'book_hotel');
  await until(async () => /no room was found: the hotel answered 503/.test(await page.textContent('.run-head .why')), 'the reason');
  assert.equal(await page.textContent('.run-head .title .error'), 'failed');
  assert.match(await page.locator('#waterfall .row', { hasText: 'book_hotel' }).locator('.error').getAttribute('title'), /closed for the winter/);
  await fine(page);

  const silent = await program();
  const other = await open(silent.url);
  await silent.say('words');
  await shows(other, 'waterfall', 'book_hotel');
  await choose(other, 'book_hotel');
  await other.locator('#detail .failure', { hasText: '.error_messages(true)' }).waitFor();
});

test('what was searched is searched again while things happen', async () => {
  const running = await program();
  const page = await open(running.url);
  await running.say('run');
  await shows(page, 'run-list', 'trip-planner');
  await page.fill('#search', 'get_weather');
  await until(async () => (await page.textContent('#scope-spans')) === 'Spans 1', 'one span');
  await page.locator('#run-list').focus();
  await page.keyboard.press('Home');
  await running.say('run');
  await until(async () => (await page.textContent('#scope-spans')) === 'Spans 2', 'two spans');
  assert.match(await page.textContent('#run-list .row.cursor'), /get_weather/);
  await fine(page);
});

test('texts of a megabyte, and a tree of forty levels, leave the page readable', async () => {
  const running = await program('127.0.0.1:0', 'full');
  const page = await open(running.url, { width: 1280 });
  await running.say('large');
  await shows(page, 'waterfall', 'chat gpt-4o');
  const longest = await page.evaluate(() => Math.max(...[...document.querySelectorAll('.row .name, .row .error, .run-head *')].map((one) => one.textContent.length)));
  assert.ok(longest < 2_000, `${longest} characters in a line`);
  await choose(page, 'chat gpt-4o');
  await page.locator('#detail button', { hasText: 'Show all' }).first().waitFor();
  assert.ok(await page.evaluate(() => document.querySelectorAll('#detail *').length) < 1_000);

  await running.say('deep 40');
  await page.goto(`${running.url}#/`);
  await shows(page, 'waterfall', 'invoke_agent diver');
  await page.locator('#waterfall').focus();
  await page.keyboard.press('End');
  const width = await page.evaluate(() => document.querySelector('#waterfall .row.cursor .name').getBoundingClientRect().width);
  assert.ok(width > 35, `${width} px for "level 1"`);
  assert.equal(await page.evaluate(() => { const name = document.querySelector('#waterfall .row.cursor .name'); return name.scrollWidth > name.clientWidth; }), false);
  await fine(page);
});

test('with the colours of the reader all that is drawn is seen', async () => {
  const running = await program();
  await running.say('fail');
  const page = await open(running.url);
  await page.emulateMedia({ forcedColors: 'active' });
  await shows(page, 'waterfall', 'rate_limit_exceeded');
  await page.locator('#run-list .row').first().click();
  await choose(page, 'think');
  await page.locator('#detail .list').first().waitFor();
  // Only the picture tells: computed colours are those that were asked for.
  const spots = await page.evaluate(() => {
    const at = (one, x, y) => { const box = one.getBoundingClientRect(); return [box.left + x(box.width), box.top + y(box.height)].map(Math.floor); };
    const half = (n) => n / 2;
    const found = (what, x, y) => [...document.querySelectorAll(what)].filter((one) => one.checkVisibility()).map((one) => [what, ...at(one, x, y)]);
    return [
      ...found('.row:not([aria-selected="true"]) .bar:not([hidden])', (n) => n - 1, half), ...found('.note .at', half, half), ...found('.live i', half, half),
      ...found('.row[aria-selected="true"]', () => 2, (n) => n - 3), ...found('[aria-pressed="true"]', () => 5, half),
    ];
  });
  assert.ok(spots.length > 10);
  const picture = (await page.screenshot()).toString('base64');
  const unseen = await (await chrome.context.newPage()).evaluate(async ([png, all]) => {
    const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
    const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d');
    canvas.drawImage(image, 0, 0);
    const white = ([, x, y]) => canvas.getImageData(x, y, 1, 1).data.every((c) => c > 250);
    return all.filter(white);
  }, [picture, spots]);
  assert.deepEqual(unseen, []);
  await fine(page);
});

test('every text has the contrast of WCAG AA on what lies behind it, in both themes', async () => {
  const running = await program('127.0.0.1:0', 'redacted');
  await running.say('open');
  await running.say('hostile');
  const exported = await running.say('fail');
  const call = exported.spans.find((span) => span.name === 'chat gpt-4o-mini').id;
  for (const scheme of ['light', 'dark']) {
    const page = await open(running.url, { scheme });
    for (const place of ['#/', `#/run/${exported.trace}/${call}`, '#/models']) {
      await page.goto(running.url + place);
      await until(() => page.evaluate(() => document.querySelector('.row, tbody tr') !== null), 'what is shown');
      if (place.includes('/run/')) await page.locator('#detail .turn').first().waitFor();
      assert.deepEqual(await page.evaluate(weak), [], `${place}, ${scheme}`);
    }
    await fine(page);
  }
});

/** In the page: texts that are too weak, with what they have. */
function weak() {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((c, i) => c * a + under[i] * (1 - a));
  const luminance = (colour) => {
    const [r, g, b] = colour.map((c) => c / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const out = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const one = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !one.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const chain = [];
    for (let at = one; at; at = at.parentElement) chain.unshift(getComputedStyle(at));
    const ground = chain.reduce((under, style) => over(rgba(style.backgroundColor), under), [255, 255, 255]);
    const opacity = chain.reduce((all, style) => all * Number(style.opacity), 1);
    const [r, g, b, a] = rgba(getComputedStyle(one).color);
    const [light, dark] = [luminance(over([r, g, b, a * opacity], ground)), luminance(ground)].sort((x, y) => y - x);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < 4.5) out.add(`${one.className || one.tagName} "${walker.currentNode.data.slice(0, 20)}" ${ratio.toFixed(2)}`);
  }
  return [...out];
}

test('a screen reader is told the name of everything that can be used', async () => {
  const running = await program();
  await running.say('open');
  await running.say('fail');
  const page = await open(running.url);
  await shows(page, 'waterfall', 'rate_limit_exceeded');
  await choose(page, 'chat gpt-4o-mini');
  await page.locator('#detail .list').first().waitFor();
  const cdp = await chrome.context.newCDPSession(page);
  const { nodes } = await cdp.send('Accessibility.getFullAXTree');
  const used = nodes.filter((node) => !node.ignored && /^(button|link|searchbox|combobox|listbox|option|treegrid|row|columnheader|complementary|region|DisclosureTriangle)$/.test(node.role?.value));
  assert.ok(used.length > 40);
  assert.deepEqual(used.filter((node) => !node.name?.value.trim()).map((node) => node.role.value), []);
  const row = nodes.find((node) => node.role?.value === 'row' && /rate_limit_exceeded/.test(node.name?.value));
  assert.match(row.name.value, /^failed agent invoke_agent trip-planner rate_limit_exceeded/);
  const properties = row.properties.map((one) => one.name);
  for (const name of ['level', 'expanded', 'selected']) assert.ok(properties.includes(name), name);
  await fine(page);
});

test('the whole of a long name is in the detail, also without a mouse', async () => {
  const running = await program();
  await running.say('hostile');
  const page = await open(running.url, { width: 360, height: 740 });
  await page.locator('#run-list .row').first().click();
  await until(async () => (await rows(page, 'waterfall')).length > 1, 'the spans of the run');
  await page.locator('#waterfall').focus();
  await page.keyboard.press('End');
  await shows(page, 'waterfall', 'long name');
  await page.keyboard.press('Enter');
  await page.locator('#detail .list').first().waitFor();
  const name = page.locator('#detail h2');
  assert.match(await name.textContent(), /^(long name ){20}/);
  assert.equal(await name.evaluate((one) => one.scrollWidth > one.clientWidth), false);
  await name.evaluate((one) => { one.scrollTop = one.scrollHeight; });
  assert.ok(await name.evaluate((one) => one.scrollTop) > 0);
  await fine(page);
});

test('runs are in the order they began, whenever they were heard of', async () => {
  const running = await program();
  const page = await open(running.url);
  const took = await page.evaluate(async () => {
    const { Store } = await import('./assets/store.js');
    const store = new Store();
    const run = (n, start) => ({ run: n, trace: String(n), start });
    store.apply({ runs: [run(1, 20), run(2, 10), run(3, 30), run(4, 30)] });
    return store.newest().run;
  });
  assert.equal(took, 4);
  await running.say('open');
  await running.say('runs 2');
  await until(async () => (await rows(page, 'run-list')).length === 3, 'three runs');
  assert.match((await rows(page, 'run-list'))[2], /waiting/);
  await fine(page);
});

test('a page that is one too many says so, and comes in when there is room', async () => {
  const running = await program();
  const leave = new AbortController();
  for (let i = 0; i < 64; i += 1) await fetch(`${running.url}api/live`, { signal: leave.signal });
  const page = await chrome.context.newPage();
  undo.push(() => page.close());
  await page.goto(running.url);
  await until(async () => (await state(page)) === 'too many pages are open', 'word that there is no room');
  leave.abort();
  await until(async () => (await state(page)) === 'live', 'room');
});

test('a chosen run that had to make room is called so', async () => {
  const running = await program();
  const page = await open(running.url);
  await running.say('run');
  await shows(page, 'run-list', 'trip-planner');
  await page.locator('#run-list .row').first().click();
  await choose(page, 'think');
  await until(async () => (await page.textContent('.run-head .title .error')) === '', 'a run that went well');
  await running.say('runs 11000');
  await until(async () => (await page.textContent('.run-head .title .error')) === 'not kept any more', 'word that it is gone');
  await fine(page);
});

test('ids are copied whole, and where the focus is it stays', async () => {
  const running = await program();
  const page = await open(running.url);
  const { trace } = await running.say('run');
  await shows(page, 'waterfall', 'trip-planner');
  await page.evaluate(() => {
    window.copied = [];
    // As on a page that is not on loopback.
    Object.defineProperty(navigator, 'clipboard', { value: undefined });
    document.execCommand = () => window.copied.push(document.activeElement.value) > 0;
  });
  const copy = page.locator('.run-head .copy');
  await copy.focus();
  await page.keyboard.press('Enter');
  assert.deepEqual(await page.evaluate(() => window.copied), [trace]);
  assert.equal(await copy.evaluate((one) => document.activeElement === one), true);
  assert.equal(await page.textContent('#said'), 'Copied');
  await fine(page);
});

test('times are the reader\'s, and say in which zone', async () => {
  const running = await program();
  const page = await open(running.url);
  const cdp = await chrome.context.newCDPSession(page);
  await cdp.send('Emulation.setTimezoneOverride', { timezoneId: 'Asia/Kolkata' });
  await running.say('run');
  await shows(page, 'waterfall', 'think');
  await choose(page, 'think');
  await page.locator('#detail .list', { hasText: 'UTC+5:30' }).waitFor();
  const zones = await page.evaluate(async () => (await import('./assets/format.js')).absolute(1_700_000_000_123_456));
  assert.equal(zones, '2023-11-15 03:43:20.123');
  await fine(page);
});

test('the labels of the time axis have room at every width', async () => {
  const running = await program();
  await running.say('open');
  const page = await open(running.url);
  await later(page, 100);
  await page.locator('#run-list .row').first().click();
  await choose(page, 'ask_a_person');
  for (const width of [768, 1000, 1360, 1600, 360]) {
    await page.setViewportSize({ width, height: 900 });
    if (width === 360) await page.keyboard.press('Escape');
    await page.locator('#waterfall .axis').waitFor();
    const close = () => page.evaluate(() => [...document.querySelectorAll('.axis span')].map((one) => one.getBoundingClientRect())
      .some((box, at, all) => box.right > innerWidth || (at > 0 && all[at - 1].right > box.left)));
    await until(async () => (await close()) === false, `room at ${width} px`);
    assert.match(await page.textContent('.axis'), /^0\d/);
  }
  await fine(page);
});
