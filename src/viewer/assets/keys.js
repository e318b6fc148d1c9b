// The keyboard: one table of what each key does, and the help that shows it.

import { el } from './dom.js';

// [keys as shown, what they do]
const HELP = [
  ['/', 'search'],
  ['j k ↓ ↑', 'next, previous row'],
  ['Enter', 'open the run or the span'],
  ['Esc', 'close, back'],
  ['← → h l', 'collapse, expand; to the parent, to the child'],
  ['Home End PgUp PgDn', 'far rows'],
  ['e', 'next failed span'],
  ['m', 'moments as rows, on or off'],
  ['c', 'collapse or expand everything'],
  ['z', 'time axis: this span, the whole run'],
  ['f', 'follow the latest run'],
  ['1 2', 'runs, models'],
  ['t', 'theme: system, light, dark'],
  ['?', 'this help'],
];

export class Keys {
  constructor(app) {
    this.app = app;
    this.dialog = document.getElementById('keys');
    const shut = el('button.button', { type: 'button', onclick: () => this.dialog.close() }, 'Close');
    const rows = HELP.map(([keys, what]) => el('div', {}, el('dt', {}, ...keys.split(' ').map((key) => el('kbd', {}, key))), el('dd', {}, what)));
    this.dialog.append(el('h2', { id: 'keys-title' }, 'Keyboard'), el('dl', {}, ...rows), shut);
    this.dialog.addEventListener('click', (event) => event.target === this.dialog && this.dialog.close());
    document.getElementById('help').addEventListener('click', () => this.help());
    document.addEventListener('keydown', (event) => this.down(event));
  }

  help() {
    if (this.dialog.open) this.dialog.close();
    else this.dialog.showModal();
  }

  down(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const { app, dialog } = this;
    if (dialog.open) {
      if (event.key === '?') this.help();
      return;
    }
    const typing = event.target.closest('input, select, textarea');
    if (typing && event.key !== 'Escape') {
      // From the search box the list is one key away.
      if (event.target.id === 'search' && (event.key === 'ArrowDown' || event.key === 'Enter')) {
        event.preventDefault();
        app.runs.list.scroller.focus();
        if (app.runs.list.cursor < 0) app.runs.list.move(0);
      }
      return;
    }
    const { waterfall } = app.run;
    if (app.route.view === 'models' && 'emcz'.includes(event.key)) return;
    const act = {
      '/': () => app.search(),
      '?': () => this.help(),
      Escape: () => app.escape(typing),
      e: () => waterfall.nextFailed(),
      m: () => waterfall.showMoments(),
      c: () => waterfall.fold(),
      z: () => waterfall.zoom(this.place()),
      f: () => app.follow(),
      t: () => app.theme(),
      1: () => { location.hash = '#/'; },
      2: () => { location.hash = '#/models'; },
    }[event.key];
    if (act) {
      act();
      event.preventDefault();
      return;
    }
    // Buttons, links and the detail's own scrolling keep their keys.
    const inside = event.target.closest('#run-list, #waterfall');
    if (!inside && event.target.closest('a, button, summary, .table')) return;
    const letters = ['j', 'k'].includes(event.key);
    if (!inside && event.target.closest('#detail') && !letters) return;
    const list = inside ? (inside.id === 'waterfall' ? waterfall : app.runs.list) : app.active();
    if (list?.key_down(event)) event.preventDefault();
  }

  /** The span the keyboard is on. */
  place() {
    const item = this.app.run.waterfall.list.current();
    return this.app.route.span ?? (item?.moment ? item.node.key : item?.key);
  }
}
