// The page as a whole: which run and span are looked at (the address says), what comes from the program, one drawing per frame.

import { Detail } from './detail.js';
import { attr, put, putForeign } from './dom.js';
import { visible } from './format.js';
import { lineIcon } from './icons.js';
import { Keys } from './keys.js';
import { Live } from './live.js';
import { Models } from './models.js';
import { Run } from './run.js';
import { Runs } from './runs.js';
import { Store } from './store.js';

/** How often clocks on the page move on: what is open lives in whole seconds, bars a little finer. */
const TICK = matchMedia('(prefers-reduced-motion: reduce)').matches ? 1_000 : 200;
/** Following the latest run changes at most this often, or short runs would flash by. */
const STAY = 1_500;
/** Loading a run anew, because its oldest spans make room, happens at most this often. */
const RELOAD = 2_000;
/** A connection that is replaced within this time was never away. */
const PATIENCE = 400;
const ROUTE = /^#\/run\/([0-9a-f]{32})(?:\/([0-9a-f]{16}))?$/;
const LIVE = {
  live: 'live', reconnecting: 'reconnecting…', ended: 'the program has ended', connecting: 'connecting…',
  refused: 'not let in: open the address that the program tells', full: 'too many pages are open',
};
const MOON = 'M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5z';
const SUN = 'M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1.1 1.1M11.9 11.9L13 13M3 13l1.1-1.1M11.9 4.1L13 3';
const BOTH = 'M8 2.5a5.5 5.5 0 1 1 0 11zM8 2.5a5.5 5.5 0 1 0 0 11z';
const by = (id) => document.getElementById(id);

class App {
  constructor() {
    this.store = new Store();
    this.narrow = matchMedia('(max-width: 719px)');
    this.route = {};
    this.shown = undefined;
    this.runs = new Runs(this);
    this.run = new Run(this);
    this.detail = new Detail(this);
    this.models = new Models(this);
    this.keys = new Keys(this);
    this.showTheme();
    by('theme').addEventListener('click', () => this.theme());
    by('follow').addEventListener('click', () => this.follow());
    addEventListener('hashchange', () => this.navigate());
    this.narrow.addEventListener('change', () => this.navigate());
    this.live = new Live({
      state: (state) => this.state(state),
      hello: (hello) => this.hello(hello),
      reset: () => this.reset(),
      changes: (changes) => this.changes(changes),
    });
    this.readRoute();
    this.shown = this.route.trace;
    this.store.watch(this.shown);
    this.live.watch(this.shown);
    setInterval(() => this.schedule(), TICK);
    this.schedule();
  }

  // === what comes ===

  state(state) {
    clearTimeout(this.patience);
    const show = () => {
      by('live').dataset.state = state;
      put(by('live').lastElementChild, LIVE[state]);
      this.store.hold(state !== 'live');
    };
    if (state === 'reconnecting') this.patience = setTimeout(show, PATIENCE);
    else show();
  }

  hello(hello) {
    this.store.greet(hello);
    putForeign(by('service'), hello.service || 'Agent runs');
    by('service').title = `${visible(hello.service ?? '')}, as tracing-genai ${visible(hello.version ?? '')} sees it`;
    put(by('capture'), hello.capture ? `content: ${hello.capture}` : '');
    by('capture').title = hello.capture === 'off' ? 'Messages and arguments are not captured: .capture(CaptureMode::Redacted)' : 'What is captured of messages and arguments';
    this.schedule();
  }

  reset() {
    this.store.forget();
    this.store.watch(this.shown);
    this.live.cursor = undefined;
    this.schedule();
  }

  changes(changes) {
    this.store.apply(changes);
    if (this.following) this.latest();
    // All that is kept has come, and the run that is looked at is not among it.
    if (this.shown && !this.store.runs.has(this.shown) && this.store.tree.nodes.size === 0) this.store.missing = true;
    this.kept = changes.kept;
    this.checkKept();
    this.schedule();
  }

  checkKept() {
    if (this.kept < this.store.tree.nodes.size && !this.reloads) this.reload();
  }

  /** Spans of the run that is looked at were forgotten: which, only the whole of it tells. */
  async reload() {
    this.reloads = true;
    setTimeout(() => {
      this.reloads = false;
      this.checkKept();
    }, RELOAD);
    const trace = this.shown;
    this.store.note();
    try {
      const answer = await fetch(`api/runs/${trace}`);
      const { spans } = await answer.json();
      if (spans && trace === this.shown) this.store.replace(spans);
    } catch {
      // It is asked again as long as there is too much.
    }
    this.store.noted = undefined;
    this.schedule();
  }

  // === what is looked at ===

  /** Without a run in the address the newest is shown; a phone shows the list then. */
  get following() {
    return this.route.view === 'runs' && !this.route.trace;
  }

  readRoute() {
    const { hash } = location;
    const found = ROUTE.exec(hash);
    this.route = { view: hash === '#/models' ? 'models' : 'runs', trace: found?.[1], span: found?.[2] };
  }

  navigate() {
    this.readRoute();
    if (this.route.trace) this.watch(this.route.trace);
    else if (this.following) this.latest(true);
    if (this.route.span) this.pending = this.route.span;
    this.schedule();
  }

  latest(now = false) {
    const newest = this.narrow.matches ? undefined : this.store.newest()?.trace;
    if (!newest || newest === this.shown) return;
    clearTimeout(this.staying);
    const wait = now || !this.shown ? 0 : (this.changed ?? 0) + STAY - Date.now();
    if (wait > 0) this.staying = setTimeout(() => this.following && this.latest(), wait);
    else this.watch(newest);
  }

  /** Another run: its spans first, then the stream from where it was before that. */
  async watch(trace) {
    if (trace === this.shown) return;
    this.shown = trace;
    this.kept = undefined;
    this.changed = Date.now();
    this.asking?.abort();
    this.store.watch(trace);
    this.run.waterfall.focus = undefined;
    this.run.waterfall.list.cursor = -1;
    this.run.waterfall.list.scroller.scrollTop = 0;
    this.pending = this.route.span;
    const { cursor } = this.live;
    if (cursor === undefined) return this.live.watch(trace);
    this.asking = new AbortController();
    const { signal } = this.asking;
    try {
      const answer = await fetch(`api/runs/${trace}`, { signal });
      if (answer.ok) {
        const { run, spans } = await answer.json();
        if (signal.aborted) return;
        this.store.apply({ runs: run ? [run] : [], spans });
      } else if (answer.status === 404) {
        this.store.missing = true;
      } else {
        throw new Error(answer.status);
      }
      this.live.watch(trace, cursor);
    } catch {
      // Without an answer the stream brings everything.
      if (!signal.aborted) this.live.watch(trace);
    }
    this.schedule();
  }

  /** Opens a run or a span of it. `keyboard`: the focus goes along. */
  go(trace, span, keyboard = false) {
    const same = trace === this.shown;
    location.hash = span ? `#/run/${trace}/${span}` : `#/run/${trace}`;
    if (!keyboard || this.narrow.matches) return;
    const { list } = this.run.waterfall;
    list.scroller.hidden = false;
    list.scroller.focus({ preventScroll: true });
    if (!span && list.cursor < 0) list.cursor = 0;
    if (same) this.schedule();
  }

  /** The keyboard moved on: an open detail goes along, without a trace in the browser's history. */
  looked(node) {
    if (!this.route.span || this.route.span === node.key) return;
    history.replaceState(null, '', `#/run/${this.shown}/${node.key}`);
    this.readRoute();
    this.schedule();
  }

  /** Closes the span. */
  close() {
    location.hash = `#/run/${this.shown}`;
    this.run.waterfall.list.scroller.focus({ preventScroll: true });
  }

  escape(typing) {
    if (typing) {
      if (typing.id === 'search' && typing.value) this.runs.clear();
      else typing.blur();
    } else if (this.route.span) this.close();
    else if (this.route.trace || this.route.view === 'models') {
      const { trace } = this.route;
      location.hash = '#/';
      const { list } = this.runs;
      list.cursor = list.items.findIndex((run) => run.trace === trace);
      list.scroller.focus({ preventScroll: true });
    }
  }

  follow() {
    if (!this.following) location.hash = '#/';
    else if (this.shown) location.hash = `#/run/${this.shown}`;
  }

  search() {
    if (this.narrow.matches || this.route.view === 'models') location.hash = '#/';
    document.body.dataset.pane = this.narrow.matches ? 'runs' : document.body.dataset.pane;
    by('runs').hidden = false;
    this.runs.search.focus();
    this.runs.search.select();
  }

  /** The list that keys go to when none has the focus. */
  active() {
    if (this.route.view === 'models') return undefined;
    return this.route.trace ? this.run.waterfall : this.runs.list;
  }

  // === theme ===

  theme() {
    const { dataset } = document.documentElement;
    const next = { light: 'dark', dark: undefined }[dataset.theme ?? ''] ?? (dataset.theme ? undefined : 'light');
    if (next) dataset.theme = next;
    else delete dataset.theme;
    try {
      if (next) localStorage.setItem('genai-theme', next);
      else localStorage.removeItem('genai-theme');
    } catch {
      // Then the choice lasts as long as the page.
    }
    this.showTheme();
  }

  showTheme() {
    const { theme } = document.documentElement.dataset;
    const button = by('theme');
    button.replaceChildren(lineIcon({ light: SUN, dark: MOON }[theme] ?? BOTH));
    button.title = `Theme: ${theme ?? 'as the system'} (t)`;
    attr(button, 'aria-label', `Theme: ${theme ?? 'as the system'}`);
  }

  // === drawing ===

  /** However much comes, it is drawn once for each frame. */
  schedule() {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      this.draw();
    });
  }

  draw() {
    const { route } = this;
    const models = route.view === 'models';
    document.body.dataset.pane = models ? 'models' : route.span ? 'span' : route.trace ? 'run' : 'runs';
    by('runs').hidden = models;
    by('run').hidden = models;
    attr(by('tab-runs'), 'aria-current', models ? undefined : 'page');
    attr(by('tab-models'), 'aria-current', models ? 'page' : undefined);
    attr(by('follow'), 'aria-pressed', this.following);
    this.models.render();
    if (models) {
      by('detail').hidden = true;
      return;
    }
    if (this.pending && this.run.waterfall.reveal(this.pending)) this.pending = undefined;
    this.runs.render();
    this.run.render();
    this.detail.render();
    const names = [this.store.runs.get(this.shown)?.agent, this.store.hello?.service];
    const title = visible([...new Set(names)].filter(Boolean).join(' · ').slice(0, 120)) || 'Agent runs';
    if (document.title !== title) document.title = title;
  }
}

// The cookie that came with the page is enough from here on: the token is for nobody who looks over a shoulder or into the history.
if (new URLSearchParams(location.search).has('token')) history.replaceState(null, '', location.pathname + location.hash);

new App();
