// The waterfall: one row for each span and moment, a tree on the left, bars on a time axis on the right.

import { attr, el, put, putShort, putTitle } from './dom.js';
import { absolute, cost, count, duration, elapsed, tick, tokens, UNPRICED } from './format.js';
import { drawKind, drawStatus, icon, kindClass, lineIcon } from './icons.js';
import { List } from './list.js';

const CHEVRON = 'M6 4l4 4-4 4';
/** Deeper trees are indented no further: their text needs the room. */
const DEEPEST = 24;
/** Marks drawn on one bar: more would be one stripe. */
const MARKS = 60;
/** Pixels that a label of the axis takes. */
const LABEL = 72;
const AGENTS = new Set(['agent', 'workflow', 'a2a']);

export class Waterfall {
  constructor(app) {
    this.app = app;
    this.ticks = [];
    this.axis = el('div.axis');
    const columns = ['Span', 'Tokens', 'Cost'].map((name) => el(`div.c-${name.toLowerCase()}`, { role: 'columnheader' }, name));
    const head = el('div.head', { role: 'row' }, ...columns, el('div.c-time', { role: 'columnheader', 'aria-label': 'Time' }, this.axis));
    this.list = new List(document.getElementById('waterfall'), {
      head,
      create: () => this.create(),
      update: (row, item, index) => this.update(row, item, index),
      key: (item) => item.key,
      onMove: (item) => app.looked(item.moment ? item.node : item),
      onOpen: (item, event) => this.opened(item, event),
    });
    this.drawn = 0;
  }

  get tree() {
    return this.app.store.tree;
  }

  // === what people do ===

  opened(item, event) {
    if (event.target.closest?.('.twist') && !item.moment) return this.toggle(item);
    this.app.go(this.app.shown, item.moment ? item.node.key : item.key, event.type === 'keydown');
  }

  toggle(node, closed) {
    this.tree.toggle(node, closed);
    this.app.schedule();
  }

  key_down(event) {
    const item = this.list.current();
    const node = item?.moment ? item.node : item;
    if (node && (event.key === 'ArrowRight' || event.key === 'l')) {
      if (this.tree.collapsed.has(node.key)) this.toggle(node, false);
      else if (!item.moment && this.tree.hasBelow(node)) this.list.move(this.list.cursor + 1);
      return true;
    }
    if (node && (event.key === 'ArrowLeft' || event.key === 'h')) {
      if (item.moment) this.list.move(node.row);
      else if (this.tree.hasBelow(node) && !this.tree.collapsed.has(node.key)) this.toggle(node, true);
      else if (node.up) this.list.move(node.up.row);
      return true;
    }
    return this.list.key_down(event);
  }

  showMoments() {
    this.tree.moments = !this.tree.moments;
    this.app.store.moments = this.tree.moments;
    this.tree.stale = true;
    this.app.schedule();
  }

  fold() {
    this.tree.collapse(this.tree.collapsed.size === 0);
    this.app.schedule();
  }

  /** The time axis of one span, or of all. */
  zoom(id) {
    this.focus = this.focus === id ? undefined : id;
    this.app.schedule();
  }

  nextFailed() {
    const item = this.list.current();
    const from = item ? (item.moment ? item.node.row : item.row) : -1;
    // Failures inside collapsed spans count too.
    if (this.tree.collapsed.size) this.tree.collapse(false);
    const node = this.tree.nextFailed(from);
    if (!node) return;
    this.refill();
    this.list.move(node.row);
    if (this.app.route.span) this.app.go(this.app.shown, node.key);
  }

  /** Brings a span into sight, opening what hides it. */
  reveal(id) {
    const node = this.tree.nodes.get(id);
    if (!node) return false;
    this.tree.expose(node);
    this.refill();
    this.list.move(node.row, false);
    return true;
  }

  // === drawing ===

  refill() {
    const { list, tree } = this;
    if (!tree.stale && list.items === tree.flat) return;
    const { scroller } = list;
    // Who reads the end of a live run keeps reading its end.
    const atEnd = this.app.following && tree.open > 0 && scroller.scrollTop > 0 && scroller.scrollTop + list.height >= scroller.scrollHeight - list.row;
    list.set(tree.rows(), (key) => tree.indexOf(key));
    if (atEnd) scroller.scrollTop = scroller.scrollHeight;
    attr(scroller, 'aria-rowcount', tree.flat.length + 1);
    // Deep trees are indented in smaller steps.
    scroller.style.setProperty('--deepest', Math.min(DEEPEST, Math.max(1, tree.deepest)));
  }

  render(run) {
    this.domain(run);
    this.drawn += 1;
    this.refill();
    this.list.render();
  }

  /** What the time axis shows. While spans are open it grows in steps, so that bars stand still in between. */
  domain(run) {
    const { tree, app } = this;
    const focus = this.focus && tree.nodes.get(this.focus)?.span;
    let from = focus ? focus.start : Math.min(tree.start, run?.start ?? Infinity);
    let to = focus ? (focus.end ?? app.store.now()) : Math.max(tree.end, run?.end ?? 0);
    if (!Number.isFinite(from)) [from, to] = [0, 1];
    if (!focus && (tree.open > 0 || (run && run.end === undefined))) {
      const lived = Math.max(app.store.now(), to) - from;
      to = from + 250_000 * 1.3 ** Math.max(0, Math.ceil(Math.log(lived / 250_000) / Math.log(1.3)));
    }
    to = Math.max(to, from + 1);
    if (from === this.from && to === this.to && this.wide === this.list.width) return;
    Object.assign(this, { from, to, span: to - from, wide: this.list.width });
    const step = niceStep(this.span, Math.min(5, Math.max(1, this.axis.clientWidth / LABEL)));
    const count = Math.floor(this.span / step);
    this.list.scroller.style.setProperty('--tick', `${(step / this.span) * 100}%`);
    const labels = [];
    for (let i = 0; i <= count; i += 1) {
      const at = (i * step) / this.span;
      // The last label needs room before the edge.
      if (at > 0.9) break;
      const label = el('span', {}, tick(i * step));
      label.style.left = `${at * 100}%`;
      labels.push(label);
    }
    this.axis.replaceChildren(...labels);
  }

  create() {
    const row = el('div', { role: 'row' });
    row.indent = el('span.indent');
    row.twist = el('span.twist', { 'aria-hidden': 'true' }, lineIcon(CHEVRON));
    row.mark = icon('mark');
    row.kind = icon('kind');
    row.name = el('bdi.name', { dir: 'auto' });
    row.more = el('span.more');
    row.error = el('bdi.error', { dir: 'auto' });
    row.tokens = el('div.c-tokens', { role: 'gridcell' });
    row.cost = el('div.c-cost', { role: 'gridcell' });
    row.wait = el('i.wait');
    // Told when somebody points at it: dates of all rows would cost more than the bars.
    row.bar = el('div.bar', { onpointerenter: () => putTitle(row.bar, this.words(row.span)) }, row.wait);
    row.marks = el('div.marks');
    row.label = el('span.label');
    row.append(
      el('div.c-span', { role: 'gridcell' }, row.indent, row.twist, row.mark, row.kind, row.name, row.more, row.error),
      row.tokens,
      row.cost,
      el('div.c-time', { role: 'gridcell' }, el('div.track', {}, row.bar, row.marks, row.label)),
    );
    return row;
  }

  update(row, item, index) {
    const node = item.moment ? item.node : item;
    const chosen = this.app.route.span === node.key && !item.moment;
    const open = node.span.end === undefined;
    // A row that shows this already is left alone, unless time passes in it.
    const key = `${this.from}/${this.to}/${chosen}/${index}/${this.tree.moments}/${this.tree.collapsed.has(node.key)}/${node.below.length}/${item.depth}`;
    if (row.item === item && row.span === node.span && row.state === key && !open && !this.tree.collapsed.has(node.key)) return;
    Object.assign(row, { item, span: node.span, state: key });
    const depth = Math.min(item.depth, DEEPEST);
    if (row.deep !== depth) {
      row.deep = depth;
      row.indent.style.setProperty('--depth', depth);
    }
    attr(row, 'aria-level', item.depth + 1);
    attr(row, 'aria-rowindex', index + 2);
    attr(row, 'aria-selected', chosen);
    row.classList.toggle('note', item.moment !== undefined);
    if (item.moment) this.moment(row, item);
    else this.node(row, node);
  }

  node(row, node) {
    const { span } = node;
    const collapsed = this.tree.collapsed.has(node.key);
    const twist = this.tree.hasBelow(node);
    attr(row, 'aria-expanded', twist ? String(!collapsed) : undefined);
    attr(row.twist, 'hidden', twist ? undefined : '');
    row.twist.classList.toggle('shut', collapsed);
    drawStatus(row.mark, span.status);
    drawKind(row.kind, span.kind);
    putShort(row.name, span.name);
    row.name.className = AGENTS.has(span.kind) ? 'name strong' : 'name';
    const hidden = collapsed ? this.tree.hidden(node) : undefined;
    put(row.more, hidden?.spans ? `+${count(hidden.spans)}${hidden.failed ? `, ${count(hidden.failed)} failed` : ''}` : '');
    const failed = span.status === 'failed';
    const why = span.error ?? (span.status === 'open' || span.status === 'completed' ? '' : span.status);
    putShort(row.error, why, [why, span.message].filter(Boolean).join(': '));
    row.error.classList.toggle('mild', !failed);
    const own = span.input !== undefined || span.output !== undefined;
    const use = own ? span : (span.total ?? {});
    put(row.tokens, use.input === undefined && use.output === undefined ? '' : `${count(use.input ?? 0)} → ${count(use.output ?? 0)}`);
    putTitle(row.tokens, tokens(use).join(', ') + (own || !span.total ? '' : ' in all below'));
    const money = own ? cost(span.cost) : cost(use.cost ?? span.cost, use.partial);
    const unknown = !money && own && span.kind === 'llm' && span.status !== 'open';
    put(row.cost, unknown ? 'no price' : money);
    putTitle(row.cost, unknown || (!own && use.partial) ? UNPRICED : '');
    row.cost.classList.toggle('unknown', unknown);
    for (const cell of [row.tokens, row.cost]) cell.classList.toggle('sum', !own);
    this.bar(row, span);
  }

  bar(row, span) {
    const now = this.app.store.now();
    const end = span.end ?? Math.max(now, span.start);
    const left = this.place(span.start);
    const right = this.place(end);
    row.bar.hidden = end < this.from || span.start > this.to;
    row.bar.className = `bar ${kindClass(span.kind)}${span.status === 'failed' ? ' failed' : ''}${span.end === undefined ? ' open' : ''}`;
    row.bar.style.left = `${left * 100}%`;
    row.bar.style.width = `${Math.max(0, right - left) * 100}%`;
    row.wait.hidden = span.ttfc === undefined;
    // Against the whole length, also where the axis shows only part of it.
    if (span.ttfc !== undefined) row.wait.style.width = `${Math.max(0, (this.place(span.start + span.ttfc) - left) / Math.max(1e-9, right - left)) * 100}%`;
    put(row.label, span.end === undefined ? elapsed(now - span.start) : duration(end - span.start));
    const side = right < 0.72 ? 'after' : left > 0.28 ? 'before' : 'inside';
    if (row.label.side !== side) {
      row.label.side = side;
      row.label.className = `label ${side}`;
    }
    row.label.style.left = side === 'after' ? `${right * 100}%` : '';
    row.label.style.right = side === 'before' ? `${(1 - left) * 100}%` : side === 'inside' ? `${(1 - right) * 100}%` : '';
    this.marks(row, span.moments ?? []);
  }

  /** A bar in words. */
  words(span) {
    const first = span.ttfc === undefined ? '' : `; first chunk after ${duration(span.ttfc)}`;
    return `${absolute(span.start)}, ${duration(Math.max(0, span.start - this.tree.start))} into the run${first}`;
  }

  marks(row, moments) {
    if (moments.length === 0 && row.marks.childElementCount === 0) return;
    const seen = new Set();
    const marks = [];
    for (const moment of moments) {
      const at = this.place(moment.at);
      const spot = Math.round(at * 400);
      if (seen.has(spot) || marks.length >= MARKS) continue;
      seen.add(spot);
      const mark = el(`i.at.${levelClass(moment)}`);
      mark.style.left = `${at * 100}%`;
      putTitle(mark, moment.type);
      marks.push(mark);
    }
    row.marks.replaceChildren(...marks);
  }

  moment(row, { moment, node }) {
    attr(row, 'aria-expanded', undefined);
    attr(row.twist, 'hidden', '');
    drawStatus(row.mark, 'completed');
    putShort(row.name, moment.type, `${moment.type}, ${moment.level ?? 'info'}`);
    row.name.className = `name ${levelClass(moment)}`;
    put(row.more, '');
    putShort(row.error, moment.error ?? '');
    for (const cell of [row.tokens, row.cost]) {
      put(cell, '');
      putTitle(cell, '');
    }
    row.bar.hidden = true;
    this.marks(row, [moment]);
    const at = this.place(moment.at);
    put(row.label, `+${duration(Math.max(0, moment.at - node.span.start))}`);
    row.label.side = undefined;
    row.label.className = `label ${at < 0.8 ? 'after' : 'before'}`;
    row.label.style.left = at < 0.8 ? `${at * 100}%` : '';
    row.label.style.right = at < 0.8 ? '' : `${(1 - at) * 100}%`;
  }

  /** A moment's place on the axis, from 0 to 1. */
  place(at) {
    return Math.min(1, Math.max(0, (at - this.from) / this.span));
  }
}

function levelClass(moment) {
  return { debug: 'l-debug', warn: 'l-warn', error: 'l-error', alert: 'l-error' }[moment.level] ?? 'l-info';
}

/** A step of 1, 2 or 5 that makes about so many of a length; of seconds and minutes where those are read. */
function niceStep(length, parts) {
  const rough = length / parts;
  if (rough > 20e6) {
    const steps = [30e6, 60e6, 120e6, 300e6, 600e6, 1_800e6, 3_600e6, 7_200e6, 21_600e6, 86_400e6];
    return steps.find((step) => step >= rough) ?? Math.ceil(rough / 86_400e6) * 86_400e6;
  }
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  return [1, 2, 5, 10].map((n) => n * power).find((step) => step >= rough);
}
