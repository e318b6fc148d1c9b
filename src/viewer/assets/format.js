// Numbers, times and foreign text as people read them, in the forms of the terminal tree; finer below a millisecond, where there is an axis to read it on.
// Never touches the page.

/** Microseconds: `400 µs`, `1.2 ms`, `120 ms`, `1.2 s`, `2 min 05 s`, `1 h 02 min`. */
export function duration(us) {
  if (!(us > 0)) return '0 ms';
  // Each border lies where rounding would reach the next unit.
  if (us < 999.5) return `${Math.max(1, Math.round(us))} µs`;
  if (us < 9_950) return `${(us / 1e3).toFixed(1)} ms`;
  if (us < 999_500) return `${(us / 1e3).toFixed(0)} ms`;
  if (us < 59_950_000) return `${(us / 1e6).toFixed(1)} s`;
  const seconds = Math.floor((us + 500_000) / 1e6);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`;
  const minutes = Math.floor((seconds + 30) / 60);
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

/** A place on a time axis, exactly and without what is zero: `50 µs`, `2.5 ms`, `30 s`, `1 min 30 s`, `2 d`. */
export function tick(us) {
  if (us < 1e3) return us === 0 ? '0' : `${us} µs`;
  if (us < 1e6) return `${us / 1e3} ms`;
  if (us < 60e6) return `${us / 1e6} s`;
  const parts = [];
  let seconds = Math.round(us / 1e6);
  for (const [size, unit] of [[86_400, 'd'], [3_600, 'h'], [60, 'min'], [1, 's']]) {
    if (seconds >= size) parts.push(`${Math.floor(seconds / size)} ${unit}`);
    seconds %= size;
  }
  return parts.join(' ');
}

/** What still runs, in whole seconds so that nothing twitches. */
export function elapsed(us) {
  const seconds = Math.floor(us / 1e6);
  if (!(seconds >= 1)) return '<1 s';
  return seconds < 60 ? `${seconds} s` : duration(seconds * 1e6);
}

/** US dollars with three digits that matter and at least two decimals: `$0.0000432`, `$0.50`, `$1,234.50`. */
export function dollars(amount) {
  if (!Number.isFinite(amount) || amount < 0) return '';
  if (amount > 0 && amount < 5e-10) return '<$0.000000001';
  if (amount >= 1e15) return `$${count(Math.round(amount))}`;
  const magnitude = amount > 0 ? Math.floor(Math.log10(amount)) : 0;
  const decimals = Math.min(9, Math.max(2, 2 - magnitude));
  const [whole, fraction] = amount.toFixed(decimals).split('.');
  return `$${grouped(whole)}.${fraction.replace(/0+$/, '').padEnd(2, '0')}`;
}

/** Cost with what is not known about it: `≥ $0.12` when some call has no price. */
export function cost(amount, partial) {
  const shown = amount === undefined ? '' : dollars(amount);
  return shown && partial ? `≥ ${shown}` : shown;
}

/** What `≥` and a missing cost mean. */
export const UNPRICED = 'No price is known for some call';

/** A count with commas: `12,345`. */
export function count(n) {
  return Number.isFinite(n) ? grouped(BigInt(Math.round(n)).toString()) : '';
}

function grouped(digits) {
  return digits.replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 call`, `3 calls`. */
export function plural(n, noun) {
  return `${count(n)} ${noun}${n === 1 ? '' : 's'}`;
}

/** `in 136 (64 cached)  out 48`, in parts. */
export function tokens(of) {
  const parts = [];
  if (of.input !== undefined) parts.push(`in ${count(of.input)}${of.cached ? ` (${count(of.cached)} cached)` : ''}`);
  if (of.output !== undefined) parts.push(`out ${count(of.output)}${of.reasoning ? ` (${count(of.reasoning)} reasoning)` : ''}`);
  return parts;
}

/** How long ago a moment was. */
export function ago(at, now) {
  const seconds = Math.floor((now - at) / 1e6);
  if (seconds < 5) return 'now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** `2026-03-09 14:05:09.123`, in the reader's time zone. */
export function absolute(us) {
  const at = new Date(us / 1e3);
  if (Number.isNaN(at.getTime())) return '';
  const day = `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
  return `${day} ${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}.${pad(at.getMilliseconds(), 3)}`;
}

/** The reader's time zone at that time: `UTC+5:30`. */
export function zone(us) {
  const minutes = -new Date(us / 1e3).getTimezoneOffset();
  const size = Math.abs(minutes);
  return `UTC${minutes ? `${minutes < 0 ? '−' : '+'}${Math.floor(size / 60)}${size % 60 ? `:${pad(size % 60)}` : ''}` : ''}`;
}

/** `1.2 kB`: how much text or media there is. */
export function bytes(n) {
  if (n < 1_000) return plural(n, 'byte');
  return n < 1e6 ? `${(n / 1e3).toFixed(1)} kB` : `${(n / 1e6).toFixed(1)} MB`;
}

function pad(n, width = 2) {
  return String(n).padStart(width, '0');
}

/** JSON whose numbers stay as they were written, also those that JavaScript would round. */
export function exact(text) {
  return JSON.parse(text, (_, value, context) =>
    typeof value === 'number' && JSON.rawJSON && context?.source !== String(value) ? JSON.rawJSON(context.source) : value);
}

// === foreign text ===

/** The beginning of a text, where only its beginning is seen: browsers lay out a line whole. */
export function short(text) {
  return text.length > 500 ? `${text.slice(0, 500)}…` : text;
}

// What is not shown as it is: controls except tab, separators, marks that reorder, what has no width or ink, tags, private use,
// noncharacters, halves of pairs. The same set as the crate's `console::escape`.
const BAD =
  '\\0-\\x08\\x0a-\\x1f\\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f' +
  '\\u3164\\ue000-\\uf8ff\\ufdd0-\\ufdef\\ufeff\\uffa0\\ufff0-\\ufffb\\u{13430}-\\u{1343f}\\u{1bca0}-\\u{1bca3}\\u{1d173}-\\u{1d17a}' +
  '\\u{e0000}-\\u{e0fff}\\u{f0000}-\\u{10ffff}\\p{Noncharacter_Code_Point}\\p{Cs}';
const SELECTORS = '\\ufe00-\\ufe0f\\u180b-\\u180d\\u180f';
// A variation selector needs a visible character before it; more of them are an alphabet for hidden messages.
const UNSAFE = `[${BAD}]|(?<=^|[\\s${BAD}${SELECTORS}])[${SELECTORS}]`;
const ANY = new RegExp(UNSAFE, 'u');
const EACH = new RegExp(UNSAFE, 'gu');

function named(c) {
  if (c === '\n') return '\\n';
  if (c === '\r') return '\\r';
  return `\\u{${c.codePointAt(0).toString(16)}}`;
}

/** Whether the text can be shown as it is. */
export function harmless(text) {
  return !ANY.test(text);
}

/** The text with everything that hides or reorders made visible; line feeds stay if `lines`. */
export function visible(text, lines = false) {
  return text.replace(EACH, (c) => (lines && c === '\n' ? c : named(c)));
}

/** The same in pieces: `[text, isEscape]`. */
export function pieces(text, lines = false) {
  const out = [];
  let done = 0;
  for (const found of text.matchAll(EACH)) {
    if (lines && found[0] === '\n') continue;
    if (found.index > done) out.push([text.slice(done, found.index), false]);
    // What follows each other is one piece: a megabyte of them must not be a million.
    if (out.at(-1)?.[1] && found.index === done) out.at(-1)[0] += named(found[0]);
    else out.push([named(found[0]), true]);
    done = found.index + found[0].length;
  }
  if (done < text.length) out.push([text.slice(done), false]);
  return out;
}
