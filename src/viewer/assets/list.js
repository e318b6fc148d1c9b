// A list of any length with only the rows in sight in the document: fixed row height, rows recycled.
// Owns scrolling, the keyboard's place in it, and that what one looks at stays where it is when rows come and go above.

import { attr } from './dom.js';

/** Rows drawn beyond each edge, so that fast scrolling shows no gaps. */
const BEYOND = 8;

export class List {
  /**
   * `create()` makes an empty row, `update(row, item, index)` fills it, `key(item)` names it.
   * The row height is the CSS variable `--row` of the scroller.
   */
  constructor(scroller, { create, update, key, head, onMove, onOpen }) {
    this.scroller = scroller;
    this.body = document.createElement('div');
    this.body.className = 'rows';
    this.body.setAttribute('role', 'presentation');
    if (head) scroller.append(head);
    scroller.append(this.body);
    Object.assign(this, { create, update, key, onMove, onOpen });
    this.items = [];
    this.pool = [];
    this.cursor = -1;
    this.height = 0;
    this.measure();
    new ResizeObserver(() => {
      const seen = this.inSight(this.cursor);
      this.measure();
      // What one is on stays in sight when the list gets smaller.
      if (seen) this.reveal(this.cursor);
      this.render();
    }).observe(scroller);
    scroller.addEventListener('scroll', () => this.render(), { passive: true });
    this.body.addEventListener('click', (event) => {
      const row = event.target.closest('.row');
      if (!row) return;
      this.move(row.index, false);
      this.onOpen?.(this.items[row.index], event);
    });
  }

  measure() {
    const was = this.row;
    const style = getComputedStyle(this.scroller);
    this.row = parseFloat(style.getPropertyValue('--row')) || 28;
    this.top = parseFloat(style.getPropertyValue('--head')) || 0;
    this.height = this.scroller.clientHeight;
    this.width = this.scroller.clientWidth;
    if (was && was !== this.row) {
      // The same rows stay in sight when their height changes.
      this.size();
      this.scroller.scrollTop = (this.scroller.scrollTop / was) * this.row;
      for (const row of this.pool) row.at = undefined;
    }
  }

  size() {
    this.body.style.height = `${this.items.length * this.row}px`;
  }

  /** Takes new items. `indexOf(key)` finds one; without it they are searched. */
  set(items, indexOf) {
    const { scrollTop } = this.scroller;
    const first = Math.floor(scrollTop / this.row);
    const anchor = scrollTop > 0 && this.items[first] !== undefined ? this.key(this.items[first]) : undefined;
    const held = this.items[this.cursor] !== undefined ? this.key(this.items[this.cursor]) : undefined;
    const find = indexOf ?? ((key) => items.findIndex((item) => this.key(item) === key));
    this.items = items;
    this.size();
    if (held !== undefined) this.cursor = find(held);
    if (anchor !== undefined) {
      const index = find(anchor);
      if (index >= 0 && index !== first) this.scroller.scrollTop = scrollTop + (index - first) * this.row;
    }
    this.render();
  }

  /** Draws what is in sight. Cheap: as many updates as there are rows on the screen. */
  render() {
    if (this.height === 0) return;
    const { scrollTop } = this.scroller;
    const from = Math.max(0, Math.floor(scrollTop / this.row) - BEYOND);
    const to = Math.min(this.items.length, Math.ceil((scrollTop + this.height) / this.row) + BEYOND);
    const wanted = Math.ceil(this.height / this.row) + 2 * BEYOND + 1;
    while (this.pool.length < Math.min(wanted, to - from)) {
      const row = this.create();
      row.classList.add('row');
      row.id = `${this.scroller.id}-${this.pool.length}`;
      this.pool.push(row);
      this.body.append(row);
    }
    while (this.pool.length > wanted) this.pool.pop().remove();
    const size = this.pool.length;
    let active;
    for (let slot = 0; slot < size; slot += 1) {
      const row = this.pool[slot];
      // The one index in sight that belongs to this slot: rows in the middle keep their element while one scrolls.
      const index = from + ((((slot - from) % size) + size) % size);
      if (index >= to) {
        if (!row.hidden) row.hidden = true;
        row.index = -1;
        continue;
      }
      if (row.hidden) row.hidden = false;
      row.index = index;
      if (row.at !== index * this.row) {
        row.at = index * this.row;
        row.style.transform = `translateY(${row.at}px)`;
      }
      if (index === this.cursor) active = row.id;
      row.classList.toggle('cursor', index === this.cursor);
      this.update(row, this.items[index], index);
    }
    attr(this.scroller, 'aria-activedescendant', active);
  }

  /** Puts the keyboard's place on a row and brings it into sight. */
  move(index, tell = true) {
    if (!this.items.length) return;
    this.cursor = Math.max(0, Math.min(this.items.length - 1, index));
    this.reveal(this.cursor);
    this.render();
    if (tell) this.onMove?.(this.items[this.cursor]);
  }

  inSight(index) {
    const at = index * this.row - this.scroller.scrollTop;
    return index >= 0 && at + this.row > 0 && at < this.height - this.top;
  }

  reveal(index) {
    const at = index * this.row;
    const { scrollTop } = this.scroller;
    const room = this.height - this.top;
    if (at < scrollTop) this.scroller.scrollTop = at;
    else if (at + this.row > scrollTop + room) this.scroller.scrollTop = at + this.row - room;
  }

  current() {
    return this.items[this.cursor];
  }

  /** The keys every list knows. True if it was one. */
  key_down(event) {
    const page = Math.max(1, Math.floor((this.height - this.top) / this.row) - 1);
    const at = this.cursor;
    const to = {
      ArrowDown: at + 1, j: at + 1, ArrowUp: at < 0 ? 0 : at - 1, k: at < 0 ? 0 : at - 1,
      PageDown: at + page, PageUp: at - page, Home: 0, End: this.items.length - 1,
    }[event.key];
    if (to !== undefined) {
      this.move(to);
      return true;
    }
    if ((event.key === 'Enter' || event.key === ' ') && this.current() !== undefined) {
      this.onOpen?.(this.current(), event);
      return true;
    }
    return false;
  }
}
