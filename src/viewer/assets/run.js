// The middle pane: what one run came to at its top, the waterfall below, and what stands there while there is nothing to show.

import { copyButton } from './content.js';
import { attr, el, foreign, put, putForeign, putShort, putTitle } from './dom.js';
import { absolute, cost, count, duration, elapsed, plural, UNPRICED } from './format.js';
import { drawKind, drawStatus, icon, lineIcon } from './icons.js';
import { Waterfall } from './waterfall.js';

const BACK = 'M10 3L5 8l5 5';
/** What matters first comes first: how long, how much, what went wrong. */
const LABELS = [
  'Duration', 'Cost', 'Errors', 'Alerts', 'Calls', 'Tools', 'Input', 'Output', 'First chunk', 'Spans', 'Models', 'Session', 'Conversation', 'Trace',
];
const SNIPPET = `#[tracing::instrument(fields(
    gen_ai.operation.name = "invoke_agent",
    gen_ai.agent.name = "my-agent"))]
async fn my_agent() { … }`;

export class Run {
  constructor(app) {
    this.app = app;
    this.head = document.getElementById('run-head');
    this.empty = document.getElementById('run-empty');
    this.waterfall = new Waterfall(app);
    this.build();
  }

  build() {
    this.back = el('a.tool.back', { href: '#/', 'aria-label': 'Back to the runs' }, lineIcon(BACK), 'Runs');
    this.mark = icon('mark');
    this.kind = icon('kind');
    this.name = el('bdi.name', { dir: 'auto' });
    this.status = el('span.error');
    this.why = el('p.error.why', { dir: 'auto' });
    this.when = el('span.when');
    const button = (text, title, onclick) => el('button.tool', { type: 'button', title, onclick }, text);
    this.failed = button('', 'To the next failed span (e)', () => this.waterfall.nextFailed());
    this.moments = button('Moments', 'Moments as rows of their own (m)', () => this.waterfall.showMoments());
    this.fold = button('Collapse', 'Collapse or expand everything (c)', () => this.waterfall.fold());
    this.zoom = button('Whole run', 'The time axis shows one span: back to the whole run (z)', () => this.waterfall.zoom(undefined));
    // label: [element, how it is filled]
    this.stats = new Map();
    for (const label of LABELS) {
      const value = el('dd', { dir: 'auto' });
      const stat = el('div.stat', {}, el('dt', {}, label), value);
      if (label === 'Trace') stat.append(copyButton(() => this.app.shown, 'Copy the id of the trace'));
      stat.value = value;
      this.stats.set(label, stat);
    }
    this.head.append(
      el('div.title', {}, this.back, el('div.what', {}, this.mark, this.kind, el('h1', {}, this.name), this.status, this.when),
        el('span.tools', {}, this.zoom, this.failed, this.moments, this.fold)),
      this.why,
      el('dl.stats', {}, ...this.stats.values()),
    );
  }

  render() {
    const { store, shown } = this.app;
    const run = shown && store.runs.get(shown);
    const there = Boolean(run) || store.tree.nodes.size > 0;
    this.head.hidden = !there;
    this.waterfall.list.scroller.hidden = !there;
    this.empty.hidden = there;
    if (!there) return this.nothing();
    if (run) this.totals(run);
    else this.forgotten();
    this.waterfall.render(run);
  }

  /** It was chosen, and had to make room: what is on the page is all that is left of it. */
  forgotten() {
    put(this.status, 'not kept any more');
    this.status.className = 'error mild';
  }

  totals(run) {
    const { store } = this.app;
    const open = run.end === undefined;
    drawStatus(this.mark, run.status);
    drawKind(this.kind, run.kind);
    putShort(this.name, run.name || run.agent || run.trace);
    put(this.status, open ? (store.held ? 'running when last heard of' : 'running') : run.status === 'completed' ? '' : run.status);
    this.status.className = open ? 'error running' : run.status === 'failed' ? 'error' : 'error mild';
    putShort(this.why, [run.error, run.message].filter(Boolean).join(': '));
    this.why.hidden = !run.error;
    put(this.when, absolute(run.start).slice(0, 19));
    const { ttfc } = store.tree;
    const first = ttfc[1] === 0 ? '' : ttfc[0] === ttfc[1] ? duration(ttfc[0]) : `${duration(ttfc[0])} – ${duration(ttfc[1])}`;
    const some = (n) => (n ? count(n) : '');
    const parts = (n, of, word) => (n === undefined ? '' : count(n) + (of ? ` (${count(of)} ${word})` : ''));
    this.stat('Duration', open ? elapsed(store.now() - run.start) : duration(run.end - run.start));
    this.stat('Calls', some(run.calls));
    this.stat('Tools', some(run.tools));
    this.stat('Spans', run.open ? `${count(run.spans)} (${count(run.open)} open)` : some(run.spans));
    this.stat('Errors', some(run.errors), 'bad');
    this.stat('Alerts', some(run.alerts), 'bad');
    this.stat('Input', parts(run.input, run.cached, 'cached'));
    this.stat('Output', parts(run.output, run.reasoning, 'reasoning'));
    this.stat('Cost', cost(run.cost, run.partial) || (run.partial ? 'no price' : ''), run.cost === undefined ? '' : 'money', run.partial ? UNPRICED : '');
    this.stat('First chunk', first, '', 'Time to the first chunk of the streamed calls, shortest to longest');
    this.stat('Models', run.models?.join(', ') ?? '', '', run.models?.join('\n'));
    this.stat('Session', run.session ?? '', '', run.session);
    this.stat('Conversation', run.conversation ?? '', '', run.conversation);
    this.stat('Trace', run.trace.slice(0, 8), '', run.trace);
    this.failed.hidden = !run.errors;
    put(this.failed, run.errors ? plural(run.errors, 'error') : '');
    this.zoom.hidden = this.waterfall.focus === undefined;
    attr(this.moments, 'aria-pressed', store.tree.moments);
    put(this.fold, store.tree.collapsed.size ? 'Expand' : 'Collapse');
  }

  stat(label, text, className = '', title = '') {
    const stat = this.stats.get(label);
    stat.hidden = text === '';
    if (stat.hidden) return;
    putForeign(stat.value, text);
    putTitle(stat.value, title ?? '');
    if (stat.value.className !== className) stat.value.className = className;
  }

  /** Nothing has run yet, nothing is chosen, or what was chosen is forgotten. */
  nothing() {
    const { store, shown, route } = this.app;
    const state = !store.seen ? 'waiting' : shown && store.missing ? 'missing' : store.runs.size === 0 ? 'none' : shown ? 'loading' : 'unchosen';
    if (this.state === `${state} ${route.trace}`) return;
    this.state = `${state} ${route.trace}`;
    const text = {
      waiting: [el('p', {}, 'Waiting for the program…')],
      loading: [],
      unchosen: [el('p', {}, 'Choose a run.')],
      missing: [
        el('h1', {}, 'This run is not here any more'),
        el('p', {}, 'The page keeps the newest spans of the running program. The run is older than those, or the program began anew.'),
        foreign(route.trace ?? '', 'code'),
        el('p', {}, el('a.button', { href: '#/' }, 'To the latest run')),
      ],
      none: [
        el('h1', {}, 'Nothing has run yet'),
        el('p', {}, 'Here you see what your agent does while it does it: its steps, model calls and tools, with tokens, cost and errors. The first run shows up by itself.'),
        el('p', {}, 'A span with these two fields is an agent run; calls and tools inside are counted into it:'),
        el('pre', {}, SNIPPET),
        el('p.quiet', {}, 'The page comes from the program itself and ends with it. Nothing leaves this machine. Press ? for the keyboard.'),
      ],
    }[state];
    this.empty.replaceChildren(...text);
  }
}
