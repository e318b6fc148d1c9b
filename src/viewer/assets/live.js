// The connection to the program: one event stream, reconnected by itself. Owns the cursor; knows nothing of what it carries.

const FIRST_WAIT = 250;
const LONGEST_WAIT = 3_000;
/** A page nobody looks at gives its connection back after this long: browsers have six for each host. */
const HIDDEN_FOR = 30_000;

export class Live {
  /** `on.hello`, `on.reset`, `on.changes` get what comes; `on.state` hears `live`, `reconnecting`, `ended`, `refused` or `full`. */
  constructor(on) {
    this.on = on;
    this.wait = FIRST_WAIT;
    this.ended = false;
    document.addEventListener('visibilitychange', () => this.visibility());
    // Coming back from the browser's page cache, the old connection is gone.
    addEventListener('pageshow', (event) => event.persisted && this.open());
  }

  /** Watches a run, or none, from `cursor` on; without one everything comes again. */
  watch(run, cursor) {
    this.run = run;
    this.cursor = cursor;
    this.wait = FIRST_WAIT;
    this.open();
  }

  open() {
    this.close();
    const query = new URLSearchParams();
    if (this.run) query.set('run', this.run);
    if (this.cursor) query.set('cursor', this.cursor);
    const source = new EventSource(`api/live?${query}`);
    this.source = source;
    source.addEventListener('hello', (event) => {
      this.wait = FIRST_WAIT;
      this.ended = false;
      this.on.state('live');
      this.on.hello(JSON.parse(event.data));
    });
    source.addEventListener('reset', () => {
      this.cursor = undefined;
      this.on.reset();
    });
    source.addEventListener('changes', (event) => {
      this.on.changes(JSON.parse(event.data));
      if (event.lastEventId) this.cursor = event.lastEventId;
    });
    source.addEventListener('bye', () => {
      this.ended = true;
      this.retry();
    });
    source.addEventListener('error', () => this.failed(source));
  }

  /** A connection that was cut is tried again; one that was answered with a refusal too, but then it is said why. */
  async failed(source) {
    const refused = source.readyState === EventSource.CLOSED;
    // Whoever answers has not ended.
    if (refused) this.ended = false;
    this.retry();
    if (!refused) return;
    try {
      // Every address is guarded alike, and the number of streams is limited by itself.
      const { status } = await fetch('assets/icon.svg');
      if (this.source) return;
      if (status === 403) this.on.state('refused');
      else if (status === 200) this.on.state('full');
    } catch {
      // Then nobody is there.
    }
  }

  close() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = undefined;
  }

  /** The browser would retry too, but at its own pace and not after every kind of end. */
  retry() {
    this.close();
    this.on.state(this.ended ? 'ended' : 'reconnecting');
    this.timer = setTimeout(() => this.open(), this.wait);
    this.wait = Math.min(this.wait * 1.7, LONGEST_WAIT);
  }

  visibility() {
    clearTimeout(this.asleep);
    if (document.hidden) this.asleep = setTimeout(() => this.close(), HIDDEN_FOR);
    else if (!this.source) this.open();
  }
}
