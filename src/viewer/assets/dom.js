// Elements from code: the only place that makes them. Text is always text; no markup is ever parsed, no style attribute written.

import { harmless, pieces, short, visible } from './format.js';

/** An element: `el('p.note', { title: '…' }, 'text', child)`. Functions under `on…` are listeners. */
export function el(what, props = {}, ...children) {
  const [tag, ...classes] = what.split('.');
  const node = document.createElement(tag);
  if (classes.length) node.className = classes.join(' ');
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'function') node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.filter((child) => child !== undefined && child !== null && child !== ''));
  return node;
}

/** Our own text into an element; nothing happens if it is there already. */
export function put(node, text) {
  if (node.shown === text) return;
  node.shown = text;
  node.textContent = text;
}

/** Foreign text into an element: what hides or reorders is made visible, the rest stays what it is. */
export function putForeign(node, text, lines = false) {
  if (node.shown === text) return;
  node.shown = text;
  if (harmless(text)) node.textContent = text;
  else node.replaceChildren(...fragments(text, lines));
}

/** Foreign text as an element of its own, isolated from the direction of what is around it. */
export function foreign(text, what = 'bdi', lines = false) {
  const node = el(what, { dir: 'auto' });
  putForeign(node, String(text), lines);
  return node;
}

function fragments(text, lines) {
  return pieces(text, lines).map(([piece, escaped]) => (escaped ? el('span.esc', {}, piece) : piece));
}

/** The beginning of a foreign text, and its tooltip has more of it. */
export function putShort(node, text, tip = text) {
  putForeign(node, short(text));
  putTitle(node, tip);
}

/** A foreign tooltip: cut, for browsers draw it without limit. */
export function putTitle(node, text) {
  const shown = text.length > 1_000 ? `${text.slice(0, 1_000)}…` : text;
  if (node.tip === shown) return;
  node.tip = shown;
  if (shown) node.title = visible(shown);
  else node.removeAttribute('title');
}

/** Sets an attribute, or removes it for `undefined`, if it changes. */
export function attr(node, name, value) {
  const was = node.getAttribute(name);
  if (value === undefined) {
    if (was !== null) node.removeAttribute(name);
  } else if (was !== String(value)) {
    node.setAttribute(name, String(value));
  }
}

/** Copies text; pages that are not on loopback have no clipboard of their own. */
export async function copy(text) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const held = document.activeElement;
    const area = el('textarea.offscreen', { 'aria-hidden': 'true' });
    area.value = text;
    document.body.append(area);
    area.select();
    done = document.execCommand('copy');
    area.remove();
    held?.focus({ preventScroll: true });
  }
  say(done ? 'Copied' : 'The browser does not let this page copy');
}

/** Tells people, and screen readers, one short thing. */
export function say(text) {
  const said = document.getElementById('said');
  said.textContent = text;
  said.classList.add('on');
  clearTimeout(say.timer);
  say.timer = setTimeout(() => said.classList.remove('on'), 1_400);
}
