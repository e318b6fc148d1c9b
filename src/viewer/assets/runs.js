// The left pane: the runs, newest first, their filters, what is searched inside them, and totals over what is shown.

import { attr, el, put, putShort, putTitle } from './dom.js';
import { absolute, ago, cost, count, duration, elapsed, plural, tokens, UNPRICED, visible } from './format.js';
import { drawKind, drawStatus, icon } from './icons.js';
import { List } from './list.js';
import { laterFirst } from './store.js';

const SEARCH_AFTER = 180;
const SEARCH_LIMIT = 200;
/** While things happen, what was searched is searched again this often. */
const SEARCH_AGAIN = 2_000;
const STATES = [
  ['', 'Status'], ['open', 'Open'], ['completed', 'Completed'], ['failed', 'Failed'], ['errors', 'With errors'],
  ['canceled', 'Canceled'], ['blocked', 'Blocked'], ['paused', 'Paused'], ['alerts', 'With alerts'],
];
const by = (id) => document.getElementById(id);

export class Runs {
  constructor(app) {
    this.app = app;
    this.search = by('search');
    this.status = by('by-status');
    this.agent = by('by-agent');
    this.model = by('by-model');
    this.scopes = by('scopes');
    this.sums = by('sums');
    this.none = by('runs-empty');
    this.books = by('books');
    this.scope = 'runs';
    this.chosen = false;
    this.found = { query: '', spans: [], more: false, state: 'idle' };
    this.hay = new WeakMap();
    this.status.append(...STATES.map(([value, text]) => el('option', { value }, text)));
    this.options(this.agent, 'Agent', []);
    this.options(this.model, 'Model', []);
    this.list = new List(by('run-list'), {
      create: () => this.create(),
      update: (row, item, index) => (item.id ? this.span(row, item, index) : this.run(row, item, index)),
      key: (item) => (item.id ? `${item.trace}/${item.id}` : item.trace),
      onOpen: (item) => app.go(item.trace, item.id, true),
    });
    this.search.addEventListener('input', () => this.typed());
    for (const select of [this.status, this.agent, this.model]) {
      select.addEventListener('change', () => {
        select.classList.toggle('set', select.value !== '');
        this.changed();
      });
    }
    by('scope-runs').addEventListener('click', () => this.pick('runs'));
    by('scope-spans').addEventListener('click', () => this.pick('spans'));
  }

  changed() {
    this.stale = true;
    this.app.schedule();
  }

  pick(scope) {
    this.scope = scope;
    this.chosen = true;
    this.list.scroller.scrollTop = 0;
    this.changed();
  }

  // === search ===

  typed() {
    const query = this.search.value.trim();
    clearTimeout(this.timer);
    this.asking?.abort();
    this.chosen = false;
    this.scope = 'runs';
    this.list.scroller.scrollTop = 0;
    this.found = { query, spans: [], more: false, state: query ? 'asking' : 'idle' };
    if (query) this.timer = setTimeout(() => this.ask(query), SEARCH_AFTER);
    this.changed();
  }

  async ask(query) {
    this.asking = new AbortController();
    this.askedAt = this.app.store.version;
    try {
      const answer = await fetch(`api/search?q=${encodeURIComponent(query)}&limit=${SEARCH_LIMIT}`, { signal: this.asking.signal });
      if (!answer.ok) throw new Error(answer.status);
      const { spans, more } = await answer.json();
      this.found = { query, spans, more: more === true, state: 'done' };
    } catch (error) {
      if (error.name === 'AbortError') return;
      // What was found before is better than nothing.
      if (this.found.state !== 'done') this.found = { query, spans: [], more: false, state: 'failed' };
    }
    this.timer = setTimeout(() => this.askAgain(query), SEARCH_AGAIN);
    this.changed();
  }

  /** What is found changes with what happens: spans come, and those that were open end. */
  askAgain(query) {
    if (this.app.store.version !== this.askedAt || this.found.state === 'failed') this.ask(query);
    else this.timer = setTimeout(() => this.askAgain(query), SEARCH_AGAIN);
  }

  clear() {
    this.search.value = '';
    this.typed();
  }

  // === what is shown ===

  /** What the text filter looks at. */
  text(run) {
    let text = this.hay.get(run);
    if (text === undefined) {
      const parts = [run.name, run.agent, run.error, run.session, run.conversation, run.trace, ...(run.models ?? [])];
      text = parts.filter(Boolean).join('\n').toLowerCase();
      this.hay.set(run, text);
    }
    return text;
  }

  passes(run, query) {
    const status = this.status.value;
    if (status === 'errors' ? !run.errors : status === 'alerts' ? !run.alerts : status && run.status !== status) return false;
    if (this.agent.value && run.agent !== this.agent.value) return false;
    if (this.model.value && !run.models?.includes(this.model.value)) return false;
    return !query || this.text(run).includes(query);
  }

  render() {
    const { store } = this.app;
    if (this.version !== store.version || this.stale) {
      this.version = store.version;
      this.stale = false;
      this.refill();
    } else {
      this.list.render();
    }
    const { spans = 0, forgotten = 0, missed = 0 } = store.books;
    const books = [`${plural(spans, 'span')} kept`];
    if (forgotten) books.push(`${count(forgotten)} older forgotten`);
    if (missed) books.push(`${count(missed)} missed`);
    put(this.books, store.seen ? books.join(' · ') : '');
    this.books.classList.toggle('warn', missed > 0);
  }

  refill() {
    const { store } = this.app;
    const all = [...store.runs.values()].sort(laterFirst);
    this.options(this.agent, 'Agent', all.map((run) => run.agent));
    this.options(this.model, 'Model', all.flatMap((run) => run.models ?? []));
    const query = this.search.value.trim().toLowerCase();
    const runs = all.filter((run) => this.passes(run, query));
    const { spans, more, state } = this.found;
    if (query && !this.chosen && state === 'done') {
      this.scope = runs.length === 0 && spans.length > 0 ? 'spans' : 'runs';
      // Once: what is read must not change places because something else came.
      this.chosen = items(this.scope, runs, spans).length > 0;
    }
    this.scopes.hidden = !query;
    put(by('scope-runs'), `Runs ${count(runs.length)}`);
    put(by('scope-spans'), state === 'done' ? `Spans ${count(spans.length)}${more ? '+' : ''}` : 'Spans …');
    attr(by('scope-runs'), 'aria-pressed', this.scope === 'runs');
    attr(by('scope-spans'), 'aria-pressed', this.scope === 'spans');
    const shown = query ? items(this.scope, runs, spans) : runs;
    this.list.set(shown);
    this.total(shown === runs ? runs : undefined, all.length);
    let none = '';
    if (shown.length === 0) {
      if (state === 'failed') none = 'The search did not get an answer.';
      else if (this.scope === 'spans') none = state === 'asking' ? 'Searching…' : 'No span mentions this.';
      else if (all.length === 0) none = store.seen ? 'No run yet.' : '';
      else none = 'No run matches.';
    }
    put(this.none, none);
    this.none.hidden = none === '';
  }

  /** Sums over the runs that pass the filters. */
  total(runs, all) {
    if (!runs) return put(this.sums, this.found.more ? `the newest ${count(SEARCH_LIMIT)} are shown` : '');
    const sum = { input: 0, output: 0, calls: 0, cost: 0, failed: 0, partial: false };
    for (const run of runs) {
      sum.input += run.input ?? 0;
      sum.output += run.output ?? 0;
      sum.calls += run.calls ?? 0;
      sum.cost += run.cost ?? 0;
      sum.failed += run.status === 'failed' ? 1 : 0;
      sum.partial ||= run.partial === true;
    }
    if (runs.length === 0) return put(this.sums, '');
    const parts = [runs.length < all ? `${count(runs.length)} of ${plural(all, 'run')}` : plural(all, 'run')];
    if (sum.failed) parts.push(`${count(sum.failed)} failed`);
    if (sum.calls) parts.push(cost(sum.cost, sum.partial), plural(sum.calls, 'call'), ...tokens(sum));
    put(this.sums, parts.join(' · '));
    putTitle(this.sums, `Over the runs shown: ${parts.join(', ')}`);
  }

  options(select, any, values) {
    const wanted = [...new Set(values.filter(Boolean))].sort();
    const key = wanted.join('\n');
    if (select.key === key) return;
    select.key = key;
    const { value } = select;
    const option = (name) => el('option', { value: name }, visible(name.length > 60 ? `${name.slice(0, 60)}…` : name));
    // What is chosen stays a choice even when its last run is gone.
    if (value && !wanted.includes(value)) wanted.push(value);
    select.replaceChildren(el('option', { value: '' }, any), ...wanted.map(option));
    select.value = value;
  }

  // === rows ===

  create() {
    const row = el('div', { role: 'option' });
    row.mark = icon('mark');
    row.kind = icon('kind');
    row.name = el('bdi.name', { dir: 'auto' });
    row.time = el('span.time');
    row.when = el('span.when');
    row.error = el('bdi.error', { dir: 'auto' });
    row.facts = el('span.facts');
    row.cost = el('span.cost');
    row.append(el('div.line', {}, row.mark, row.kind, row.name, row.time), el('div.line.second', {}, row.when, row.error, row.facts, row.cost));
    return row;
  }

  common(row, item, index) {
    const now = this.app.store.now();
    drawStatus(row.mark, item.status);
    drawKind(row.kind, item.kind);
    put(row.time, item.end === undefined ? elapsed(now - item.start) : duration(item.end - item.start));
    row.classList.toggle('open', item.end === undefined);
    put(row.when, ago(item.start, this.app.store.wall()));
    if (row.began !== item.start) {
      row.began = item.start;
      row.when.title = absolute(item.start);
    }
    attr(row, 'aria-setsize', this.list.items.length);
    attr(row, 'aria-posinset', index + 1);
    const ended = item.status === 'completed' || item.status === 'open';
    // Of a run that went well by itself it is said what did not.
    const inside = [item.errors && plural(item.errors, 'error'), item.alerts && plural(item.alerts, 'alert')].filter(Boolean).join(' · ');
    putShort(row.error, item.error ?? (ended ? inside : item.status), item.message ?? item.error);
    row.error.classList.toggle('mild', item.status !== 'failed');
  }

  run(row, run, index) {
    this.common(row, run, index);
    const shown = run.agent && run.name === `invoke_agent ${run.agent}` ? run.agent : run.name || run.agent || run.trace;
    putShort(row.name, shown, run.name);
    const facts = [];
    if (run.calls) facts.push(plural(run.calls, 'call'));
    if (run.tools) facts.push(plural(run.tools, 'tool'));
    putShort(row.facts, [...facts, ...tokens({ input: run.input, output: run.output })].join(' · '));
    put(row.cost, cost(run.cost, run.partial));
    putTitle(row.cost, run.partial ? UNPRICED : '');
    attr(row, 'aria-selected', run.trace === this.app.shown);
  }

  span(row, span, index) {
    this.common(row, span, index);
    putShort(row.name, span.name);
    const run = this.app.store.runs.get(span.trace);
    const place = [span.agent ?? run?.agent ?? run?.name, span.model].filter(Boolean);
    putShort(row.facts, place.join(' · '));
    put(row.cost, cost(span.cost));
    putTitle(row.cost, '');
    attr(row, 'aria-selected', span.trace === this.app.shown && span.id === this.app.route.span);
  }
}

function items(scope, runs, spans) {
  return scope === 'spans' ? spans : runs;
}
