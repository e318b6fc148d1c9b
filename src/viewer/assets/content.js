// What was said and given: messages as a conversation, values as JSON, attributes and events as tables.
// Owns how long content is cut; makes elements, keeps none.

import { copy, el, foreign } from './dom.js';
import { absolute, bytes, count, duration, exact, pieces } from './format.js';
import { lineIcon } from './icons.js';

/** Characters of one text, and parts of one list, before a button asks whether the rest is wanted. */
const LONGEST = 12_000;
const MOST = 120;
const SHORT = 80;
const COPY = 'M5.5 5.5V3h7.5v7.5h-2.5M3 5.5h7.5V13H3z';
const JSON_TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d[\d.eE+-]*/g;

/** A button that copies what `text()` gives. */
export function copyButton(text, label) {
  const onclick = (event) => {
    // Inside a summary a click would also close it.
    event.preventDefault();
    event.stopPropagation();
    copy(text());
  };
  return el('button.copy', { type: 'button', 'aria-label': label, title: label, onclick }, lineIcon(COPY));
}

// === texts and values ===

/** Foreign text of any length. */
function text(value, what = 'div.text') {
  if (value.length <= LONGEST * 1.2) return foreign(value, what, true);
  const node = foreign(`${value.slice(0, LONGEST)}…`, what, true);
  const more = el('button.button', { type: 'button', onclick: () => node.replaceWith(foreign(value, what, true)) }, `Show all ${count(value.length)} characters`);
  node.append(more);
  return node;
}

/** A value as indented JSON, or as what it is if it is a text. A list of elements. */
export function tree(value) {
  if (typeof value === 'string') {
    const parsed = inner(value);
    if (parsed === undefined) return [text(value)];
    return [json(parsed)];
  }
  return [json(value)];
}

/** Arguments and results are often JSON inside a text. */
function inner(value) {
  if (!/^\s*[[{]/.test(value) || value.length > 1e6) return undefined;
  try {
    return exact(value);
  } catch {
    return undefined;
  }
}

function json(value) {
  let whole = JSON.stringify(value, null, 2) ?? String(value);
  // What is short is read best on one line. Line feeds inside texts are escaped, so these are only the indentation's.
  if (whole.length <= SHORT) whole = whole.replace(/\n\s*/g, ' ');
  const node = el('pre.json', { dir: 'ltr' });
  const fill = (shown) => node.replaceChildren(...coloured(shown));
  if (whole.length <= LONGEST * 1.2) {
    fill(whole);
  } else {
    fill(`${whole.slice(0, LONGEST)}…`);
    const onclick = () => node.replaceChildren(...plain(whole));
    node.append(el('button.button', { type: 'button', onclick }, `Show all ${count(whole.length)} characters`));
  }
  return node;
}

/** Names, texts and numbers apart. */
function coloured(source) {
  const out = [];
  let done = 0;
  for (const found of source.matchAll(JSON_TOKEN)) {
    out.push(...plain(source.slice(done, found.index)));
    const colour = found[1] === undefined ? 'j-value' : found[2] === undefined ? 'j-text' : 'j-name';
    const token = found[1] ?? found[0];
    out.push(el(`span.${colour}`, {}, ...plain(token)));
    done = found.index + token.length;
  }
  out.push(...plain(source.slice(done)));
  return out;
}

function plain(source) {
  return pieces(source, true).map(([piece, escaped]) => (escaped ? el('span.esc', {}, piece) : piece));
}

/** At most `MOST` of a list, the rest behind a button. */
function some(list, make) {
  const out = list.slice(0, MOST).map(make);
  if (list.length > MOST) {
    const more = el('button.button', { type: 'button', onclick: () => more.replaceWith(...list.slice(MOST).map(make)) }, `Show ${count(list.length - MOST)} more`);
    out.push(more);
  }
  return out;
}

// === conversation ===

/** System text, what went in, what came out. */
export function conversation({ system, input, output }) {
  const turns = [];
  if (system?.length) turns.push({ role: 'system', parts: system });
  turns.push(...(input ?? []));
  const out = some(turns, (message) => turn(message, false));
  return [el('div.talk', {}, ...out, ...some(output ?? [], (message) => turn(message, true)))];
}

function turn(message, answer) {
  const role = ['system', 'user', 'assistant', 'tool'].includes(message.role) ? message.role : 'other';
  const head = el('div.role', {}, foreign(message.role ?? 'message'));
  if (answer && message.finish_reason) head.append(el('span.finish', {}, foreign(message.finish_reason)));
  return el(`div.turn.r-${role}${answer ? '.answer' : ''}`, {}, head, ...some(message.parts ?? [], part));
}

/** How each type of part is shown; what is not here is shown as JSON. */
const PARTS = {
  text: (part) => (part.content || part.bytes === undefined ? text(part.content ?? '') : left(part, 'text')),
  reasoning: (part) => el('div.thought', {}, el('span.tag', {}, 'reasoning'), part.content || part.bytes === undefined ? text(part.content ?? '') : left(part, 'text')),
  tool_call: (part) => call('call', part.name, part.id, part.arguments),
  tool_call_response: (part) => call('response', part.name, part.id, part.response ?? part.result),
  blob: (part) => media('blob', part, part.mime_type),
  uri: (part) => media('uri', part, part.uri),
  file: (part) => media('file', part, part.file_id),
};

function part(one) {
  const show = Object.hasOwn(PARTS, one?.type) ? PARTS[one.type] : undefined;
  return show ? show(one) : json(one);
}

function call(word, name, id, value) {
  const head = el('div.call', {}, el('span.tag', {}, word), name ? foreign(name, 'strong') : undefined, id ? foreign(id, 'code') : undefined);
  return el('div.tooling', {}, head, ...(value === undefined ? [] : tree(value)));
}

/** Never loaded, never linked: a page that shows foreign text must not fetch foreign addresses. */
function media(word, part, what) {
  const size = part.bytes ?? (typeof part.content === 'string' ? Math.floor(part.content.length * 0.75) : undefined);
  return el('div.media', {}, el('span.tag', {}, part.modality ?? word), what ? foreign(what) : undefined, size ? el('span.quiet', {}, bytes(size)) : undefined);
}

function left(part, what) {
  return el('div.quiet', {}, `${bytes(part.bytes)} of ${what}, not captured`);
}

// === tables ===

/** Attributes with a filter that stays for the next span (`kept.filter`). */
export function attributes(entries, kept) {
  const rows = entries.map(([name, value]) => {
    const shown = typeof value === 'string' ? value : JSON.stringify(value);
    const row = el('div.pair', {}, el('dt', {}, foreign(name)), el('dd', {}, text(shown, 'span'), copyButton(() => shown, 'Copy the value')));
    row.hay = `${name}\n${shown}`.toLowerCase();
    return row;
  });
  const none = el('p.none', { hidden: true }, 'No attribute matches.');
  const filter = () => {
    kept.filter = box.value;
    const query = box.value.trim().toLowerCase();
    let seen = 0;
    for (const row of rows) {
      row.hidden = !row.hay.includes(query);
      seen += row.hidden ? 0 : 1;
    }
    none.hidden = seen > 0;
  };
  const box = el('input.filter', { type: 'search', placeholder: 'Filter attributes', 'aria-label': 'Filter attributes', autocomplete: 'off', spellcheck: 'false', oninput: filter });
  box.value = kept.filter;
  filter();
  return [box, el('dl.pairs', {}, ...rows), none];
}

/** What happened in the span, with what each event said. */
export function events(list, start) {
  return [el('div.events', {}, ...some(list, (event) => {
    const level = { warn: 'l-warn', error: 'l-error', alert: 'l-error', debug: 'l-debug' }[event.level] ?? 'l-info';
    const head = el('div.event', { title: absolute(event.at) }, el('span.at', {}, `+${duration(Math.max(0, event.at - start))}`), foreign(event.type ?? event.name ?? 'event', `strong.${level}`));
    if (event.name && event.name !== event.type) head.append(foreign(event.name));
    const more = [];
    if (event.error) more.push(el('div.error', {}, foreign([event.error.type, event.error.message].filter(Boolean).join(': '), 'span', true)));
    if (event.attributes && Object.keys(event.attributes).length) more.push(json(event.attributes));
    if (event.body !== undefined) more.push(...tree(event.body));
    return el('div', {}, head, ...more);
  }))];
}
