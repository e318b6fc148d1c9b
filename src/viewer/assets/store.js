// What the program told: runs, models, and the spans of the run that is looked at. Owns applying changes; draws nothing.

import { Tree } from './tree.js';

export class Store {
  constructor() {
    this.hello = undefined;
    this.forget();
  }

  /** The program began anew: nothing of before holds. */
  forget() {
    this.runs = new Map();
    this.models = [];
    this.books = {};
    this.moments = this.moments ?? true;
    this.tree = new Tree(this.moments);
    this.skew = this.skew ?? 0;
    // Counted up with each change of the runs, of the models, of the watched run's spans.
    this.version = (this.version ?? 0) + 1;
    this.modelsVersion = (this.modelsVersion ?? 0) + 1;
    this.seen = false;
  }

  /** Looks at another run, or at none. */
  watch(trace) {
    this.watched = trace;
    this.tree = new Tree(this.moments);
    this.missing = false;
  }

  /** From here to `replace` it is noted what comes: it may be newer than the answer that is waited for. */
  note() {
    this.noted = [];
  }

  /** All spans of the watched run as they are now, where some of those held here were forgotten. */
  replace(spans) {
    const { collapsed } = this.tree;
    this.tree = new Tree(this.moments);
    this.tree.collapsed = collapsed;
    const noted = this.noted ?? [];
    this.noted = undefined;
    this.apply({ spans });
    for (const later of noted) this.apply({ spans: later });
  }

  apply(changes) {
    if (!this.seen) this.version += 1;
    this.seen = true;
    for (const run of changes.runs ?? []) {
      this.runs.set(run.trace, run);
      this.latest(run.end ?? run.start);
    }
    // Parents first, as far as time tells: then each span finds its place at once.
    if (changes.spans) this.noted?.push(changes.spans);
    for (const span of (changes.spans ?? []).sort((a, b) => a.start - b.start)) {
      if (span.trace !== this.watched) continue;
      this.tree.upsert(span);
      this.latest(span.end ?? span.start);
    }
    if (changes.gone) {
      const gone = new Set(changes.gone);
      for (const [trace, run] of this.runs) if (gone.has(run.run)) this.runs.delete(trace);
    }
    if (changes.runs?.length || changes.gone) this.version += 1;
    if (changes.models) {
      this.models = changes.models;
      this.modelsVersion += 1;
    }
    if (changes.books) this.books = changes.books;
  }

  /** The program's clock can be ahead of the browser's, when they are two machines. */
  latest(at) {
    this.skew = Math.max(this.skew, at - Date.now() * 1_000);
  }

  now() {
    return Date.now() * 1_000 + this.skew;
  }

  /** The run that began last. */
  newest() {
    let newest;
    for (const run of this.runs.values()) if (!newest || run.run > newest.run) newest = run;
    return newest;
  }
}
