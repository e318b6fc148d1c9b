// The view of totals by model: one table, sorted by any of its columns.

import { attr, el, foreign, put, putTitle } from './dom.js';
import { cost, count, duration } from './format.js';

// [title, what it sorts by, how it is shown]
const COLUMNS = [
  ['Model', (m) => m.model ?? '', (m) => foreign(m.model ?? '?')],
  ['Provider', (m) => m.provider ?? '', (m) => foreign(m.provider ?? '')],
  ['Cost', (m) => m.cost ?? 0, (m) => cost(m.cost, m.unpriced > 0) || '?'],
  ['Calls', (m) => m.calls, (m) => count(m.calls)],
  ['Errors', (m) => m.errors ?? 0, (m) => (m.errors ? count(m.errors) : '')],
  ['Input', (m) => m.input ?? 0, (m) => count(m.input ?? 0)],
  ['Cached', (m) => m.cached ?? 0, (m) => (m.cached ? count(m.cached) : '')],
  ['Output', (m) => m.output ?? 0, (m) => count(m.output ?? 0)],
  ['Reasoning', (m) => m.reasoning ?? 0, (m) => (m.reasoning ? count(m.reasoning) : '')],
  ['Mean duration', (m) => m.duration / m.calls || 0, (m) => (m.calls ? duration(m.duration / m.calls) : '')],
  ['Mean first chunk', (m) => m.ttfc ?? 0, (m) => (m.ttfc === undefined ? '' : duration(m.ttfc))],
];
const TEXTS = 2;
/** Cells that say more by their colour. */
const COLOURS = { Cost: 'money', Errors: 'bad' };
const SUMS = ['calls', 'errors', 'input', 'cached', 'output', 'reasoning', 'cost', 'unpriced', 'duration'];

export class Models {
  constructor(app) {
    this.app = app;
    this.pane = document.getElementById('models');
    this.by = 2;
    this.down = true;
    this.heads = COLUMNS.map(([title], at) =>
      el(at < TEXTS ? 'th' : 'th.number', { scope: 'col' }, el('button', { type: 'button', onclick: () => this.sort(at) }, title)));
    this.rows = el('tbody');
    this.sum = el('tfoot');
    this.none = el('p.none', {}, 'No call of a model has ended yet.');
    this.note = el('p.quiet', {}, '≥ marks a sum in which some call has no known price.');
    this.table = el('div.table', { tabindex: '0', role: 'region', 'aria-label': 'Totals by model, table' },
      el('table', {}, el('thead', {}, el('tr', {}, ...this.heads)), this.rows, this.sum));
    this.pane.append(el('h1', {}, 'Models'), el('p.quiet', {}, 'Finished calls among the spans kept now.'), this.table, this.none, this.note);
  }

  sort(at) {
    this.down = this.by === at ? !this.down : at >= TEXTS;
    this.by = at;
    this.version = undefined;
    this.app.schedule();
  }

  render() {
    const { store, route } = this.app;
    this.pane.hidden = route.view !== 'models';
    if (this.pane.hidden || this.version === store.modelsVersion) return;
    this.version = store.modelsVersion;
    const value = COLUMNS[this.by][1];
    const order = (a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0);
    const models = [...store.models].sort((a, b) => (this.down ? order(b, a) : order(a, b)));
    this.heads.forEach((head, at) => attr(head, 'aria-sort', at === this.by ? (this.down ? 'descending' : 'ascending') : undefined));
    this.rows.replaceChildren(...models.map((model) => row(model)));
    this.sum.replaceChildren(...(models.length > 1 ? [row(total(models))] : []));
    this.table.hidden = models.length === 0;
    this.none.hidden = models.length > 0;
    this.note.hidden = !models.some((model) => model.unpriced > 0);
    put(this.none, 'No call of a model has ended yet.');
  }
}

function row(model) {
  return el('tr', {}, ...COLUMNS.map(([title, , show], at) => {
    if (at >= TEXTS) return el(['td.number', COLOURS[title]].filter(Boolean).join('.'), {}, show(model));
    const cell = el(at === 0 ? 'th' : 'td', at === 0 ? { scope: 'row' } : {}, show(model));
    putTitle(cell, cell.textContent);
    return cell;
  }));
}

function total(models) {
  const all = { model: 'All', provider: '' };
  for (const name of SUMS) all[name] = models.reduce((sum, model) => sum + (model[name] ?? 0), 0);
  return all;
}
