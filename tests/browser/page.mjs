// A page that is looked at: opened beside its program, closed after its test, with what went wrong in it collected.

import assert from 'node:assert/strict';
import { after, afterEach, before } from 'node:test';
import { browser, fixture, until } from './fixture.mjs';

export let chrome;
export const undo = [];
before(async () => { chrome = await browser(); });
after(() => chrome.close());
afterEach(async () => {
  while (undo.length) await undo.pop()();
});

export async function program(...settings) {
  const running = await fixture(...settings);
  undo.push(() => running.kill());
  return running;
}

/** Opens the page, in a browser whose clock is `clock` milliseconds ahead; whatever goes wrong in it is collected. */
export async function open(url, { width = 1600, height = 900, scheme = 'light', clock = 0 } = {}) {
  const page = await chrome.context.newPage();
  undo.push(() => page.close());
  page.wrong = [];
  page.on('pageerror', (error) => page.wrong.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) page.wrong.push(message.text());
  });
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ colorScheme: scheme });
  await page.addInitScript(() => {
    window.violations = [];
    window.long = [];
    document.addEventListener('securitypolicyviolation', (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
    new PerformanceObserver((list) => window.long.push(...list.getEntries().map((entry) => entry.duration))).observe({ type: 'longtask' });
  });
  if (clock) await page.addInitScript((by) => { const now = Date.now; Date.now = () => now() + by; }, clock);
  await page.goto(url);
  await until(() => page.evaluate(() => document.getElementById('live').dataset.state === 'live'), 'a connection');
  return page;
}

/** Rows in sight, top to bottom, as texts. */
export const rows = (page, list) => page.evaluate((id) =>
  [...document.querySelectorAll(`#${id} .row:not([hidden])`)].sort((a, b) => a.index - b.index).map((row) => row.textContent), list);
export const stat = (page, name) => page.evaluate((label) => {
  const found = [...document.querySelectorAll('.stat:not([hidden])')].find((one) => one.querySelector('dt').textContent === label);
  return found?.querySelector('dd').textContent;
}, name);
export const shows = (page, list, text, within) => until(async () => (await rows(page, list)).some((row) => row.includes(text)), `"${text}" in ${list}`, within);
export const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
export const fine = async (page) => {
  assert.deepEqual(page.wrong, []);
  assert.deepEqual(await page.evaluate(() => window.violations), []);
};
