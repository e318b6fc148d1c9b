// What the program told: runs, models, and the spans of the run that is looked at. Owns applying changes; draws nothing.

import { Tree } from './tree.js';

export class Store {
  constructor() {
    this.hello = undefined;
    this.skew = 0;
    this.forget();
  }

  /** The program began anew: nothing of before holds. */
  forget() {
    this.runs = new Map();
    this.models = [];
    this.books = {};
    this.moments = this.moments ?? true;
    this.tree = new Tree(this.moments);
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
    for (const run of changes.runs ?? []) this.runs.set(run.trace, run);
    // Parents first, as far as time tells: then each span finds its place at once.
    if (changes.spans) this.noted?.push(changes.spans);
    for (const span of (changes.spans ?? []).sort((a, b) => a.start - b.start)) {
      if (span.trace !== this.watched) continue;
      this.tree.upsert(span);
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

  /** What the program says of itself. Its clock and the browser's differ when they are two machines. */
  greet(hello) {
    this.hello = hello;
    this.skew = hello.now === undefined ? 0 : hello.now - Date.now() * 1_000;
  }

  /** While the program is not heard of, nothing that is open grows: whether it is, nobody knows. */
  hold(held) {
    this.held = held ? (this.held ?? this.now()) : undefined;
  }

  /** The program's time, as far as it was heard of. */
  now() {
    return this.held ?? this.wall();
  }

  wall() {
    return Date.now() * 1_000 + this.skew;
  }

  /** The run that began last. */
  newest() {
    let newest;
    for (const run of this.runs.values()) if (!newest || laterFirst(run, newest) < 0) newest = run;
    return newest;
  }
}

/** The order of runs: by when they began. That is not the order in which they were heard of. */
export function laterFirst(a, b) {
  return b.start - a.start || b.run - a.run;
}
