// The right pane: everything the program knows of one span. Asks for it when a span is chosen and again when it changes.

import { attributes, conversation, copyButton, events, tree } from './content.js';
import { attr, el, foreign, put, putForeign } from './dom.js';
import { absolute, cost, count, duration, elapsed, exact, plural, tokens, zone } from './format.js';
import { drawKind, drawStatus, icon, kindName, lineIcon } from './icons.js';

const CROSS = 'M4 4l8 8M12 4l-8 8';
const BACK = 'M10 3L5 8l5 5';
/** A span that changes all the time is asked for this often. */
const ASK_AGAIN = 500;
const SPEAKERS = new Set(['llm', 'agent', 'tool', 'mcp', 'workflow', 'a2a', 'retrieval']);

export class Detail {
  constructor(app) {
    this.app = app;
    this.pane = document.getElementById('detail');
    this.mark = icon('mark');
    this.kind = icon('kind');
    this.name = el('h2', { dir: 'auto' });
    this.body = el('div.detail-body', { tabindex: '0', role: 'region', 'aria-label': 'What is known of the span' });
    const zoom = el('button.tool', { type: 'button', title: 'The time axis shows only this span (z)', onclick: () => app.run.waterfall.zoom(app.route.span) }, 'Zoom');
    this.pane.append(
      el('div.title', {},
        el('button.tool.back', { type: 'button', 'aria-label': 'Back to the run', onclick: () => app.close() }, lineIcon(BACK), 'Run'),
        this.mark, this.kind, this.name, el('span.space'), zoom,
        el('button.tool.icon.shut', { type: 'button', 'aria-label': 'Close', title: 'Close (Esc)', onclick: () => app.close() }, lineIcon(CROSS))),
      this.body,
    );
    this.shut = new Set(['Tool definitions']);
    this.filter = '';
  }

  render() {
    const { route, store, shown } = this.app;
    const id = route.span;
    this.pane.hidden = !id;
    if (!id) {
      this.id = undefined;
      return;
    }
    if (this.id !== id) {
      this.id = id;
      this.asked = undefined;
      this.drawn = undefined;
      this.parts = new Map();
      this.body.scrollTop = 0;
      this.body.replaceChildren();
      put(this.name, '');
    }
    const span = store.tree.nodes.get(id)?.span;
    if (span) this.head(span);
    // What is asked for anew: another span, or the same after it changed.
    if (this.asked !== (span ?? id) && !this.waits && store.hello) this.ask(shown, id, span);
  }

  head(span) {
    drawStatus(this.mark, span.status);
    drawKind(this.kind, span.kind);
    putForeign(this.name, span.name);
    if (this.lived) put(this.lived, this.age(span));
  }

  age(span) {
    return span.end === undefined ? `${elapsed(this.app.store.now() - span.start)}, still running` : duration(span.end - span.start);
  }

  async ask(trace, id, span) {
    this.asked = span ?? id;
    this.waits = true;
    let [text, found] = ['', undefined];
    try {
      const answer = await fetch(`api/runs/${trace}/${id}`);
      text = await answer.text();
      // The span's own numbers are calculated with; all others are shown as they are.
      if (answer.ok) found = { ...exact(text), span: JSON.parse(text).span };
    } catch {
      // Without connection the page keeps what it has.
    }
    setTimeout(() => {
      this.waits = false;
      this.app.schedule();
    }, span?.end === undefined ? ASK_AGAIN : 60);
    if (this.id !== id || text === this.drawn) return;
    if (found) {
      this.drawn = text;
      this.draw(found);
    } else if (this.drawn === undefined) {
      this.body.replaceChildren(el('p.none', {}, text ? 'This span is not kept any more.' : 'The program does not answer.'));
    }
  }

  draw(found) {
    const { span } = found;
    this.head(span);
    const { system, input, output, tools, links } = found;
    const { events: told, attributes: known = {} } = found;
    const parts = [this.failure(found, span), this.list(span)];
    const add = (title, data, content, n) => parts.push(this.section(title, data, content, n));
    const talk = [system, input, output].some((part) => part?.length);
    if (talk) add('Messages', { system, input, output }, () => conversation(found));
    if (found.arguments !== undefined) add('Arguments', found.arguments, () => tree(found.arguments));
    if (found.result !== undefined) add('Result', found.result, () => tree(found.result));
    if (!talk && found.arguments === undefined && found.result === undefined && SPEAKERS.has(span.kind)) parts.push(this.hint(span));
    if (tools?.length) add('Tool definitions', tools, () => tree(tools), tools.length);
    if (told?.length) add('Events', told, () => events(told, span.start), told.length);
    if (links?.length) add('Links', links, () => [this.links(links)], links.length);
    const names = Object.entries(known);
    if (names.length) add('Attributes', known, () => attributes(names, this), names.length);
    add('Ids', { trace: span.trace, span: span.id, parent: span.parent }, () => [this.ids(span)]);
    this.place(parts.filter(Boolean));
  }

  /** Puts the parts there. Those that are there already are not touched, and the focus stays where it was. */
  place(parts) {
    const { scrollTop } = this.body;
    const held = document.activeElement;
    const within = this.body.contains(held) && held.closest('[data-part]')?.dataset.part;
    const others = (part) => [...part.querySelectorAll('summary, input, button, a')];
    const at = within ? others(held.closest('[data-part]')).indexOf(held) : -1;
    const caret = [held?.selectionStart, held?.selectionEnd];
    for (const old of [...this.body.children]) if (!parts.includes(old)) old.remove();
    parts.forEach((part, index) => {
      if (this.body.children[index] !== part) this.body.insertBefore(part, this.body.children[index] ?? null);
    });
    this.body.scrollTop = scrollTop;
    if (!within || held.isConnected) return;
    const next = parts.find((part) => part.dataset.part === within);
    const heir = (next && others(next)[at]) ?? this.body;
    heir.focus({ preventScroll: true });
    if (heir.matches('input')) heir.setSelectionRange(...caret);
  }

  failure(found, span) {
    const error = found.error ?? (span.error ? { type: span.error } : undefined);
    if (!error) return undefined;
    // Whoever captures content has what errors say too; others have to ask for it.
    const off = this.app.store.hello.capture === 'off' && span.status === 'failed';
    const said = error.message
      ? foreign(error.message, 'p', true)
      : off && el('p.quiet', {}, 'What errors say is not kept by default: ', el('code', {}, '.error_messages(true)'), ' on the builder.');
    return el('div.failure', { role: 'note' }, foreign(error.type ?? 'error', 'strong'), said || undefined);
  }

  list(span) {
    const facts = el('dl.list');
    const add = (label, value) => {
      if (value === undefined || value === '') return;
      facts.append(el('dt', {}, label), el('dd', { dir: 'auto' }, value instanceof Node ? value : foreign(value, 'span')));
    };
    this.lived = el('span');
    put(this.lived, this.age(span));
    const total = span.total ?? {};
    const start = this.app.store.tree.start;
    add('Kind', `${kindName(span.kind)}, ${span.status}`);
    add('Duration', this.lived);
    const after = Number.isFinite(start) && span.start > start ? `, ${duration(span.start - start)} into the run` : '';
    add('Began', `${absolute(span.start)} ${zone(span.start)}${after}`);
    add('First chunk', span.ttfc === undefined ? '' : duration(span.ttfc));
    add('Model', span.requested && span.requested !== span.model ? `${span.model ?? '?'} (asked for ${span.requested})` : span.model);
    add('Provider', span.provider);
    add('Agent', span.agent);
    add('Tokens', tokens(span).join(' · '));
    add('Cost', cost(span.cost) || (span.kind === 'llm' && span.input !== undefined && span.end !== undefined ? 'unknown: no price for this model' : ''));
    add('Finish', span.finish?.join(', '));
    if (span.total) {
      const sum = [];
      if (total.calls) sum.push(plural(total.calls, 'call'));
      if (total.tools) sum.push(plural(total.tools, 'tool'));
      if (total.toolErrors) sum.push(plural(total.toolErrors, 'tool error'));
      sum.push(...tokens(total));
      if (total.cost !== undefined) sum.push(cost(total.cost, total.partial));
      add('In all', sum.join(' · '));
    }
    return facts;
  }

  ids(span) {
    const rows = [['Span', span.id], ['Parent', span.parent], ['Trace', span.trace]].filter(([, id]) => id);
    return el('dl.list.one', {}, ...rows.flatMap(([label, id]) => [
      el('dt', {}, label), el('dd', {}, foreign(id, 'code'), copyButton(() => id, `Copy the id of the ${label.toLowerCase()}`))]));
  }

  /** What caused it, perhaps in another run. */
  links(all) {
    return el('dl.list.one', {}, ...all.flatMap(({ trace, span }) => [
      el('dt', {}, 'Caused by'), el('dd', {}, el('a', { href: `#/run/${trace}/${span}` }, span))]));
  }

  hint(span) {
    const capture = this.app.store.hello?.capture;
    const text =
      capture && capture !== 'off'
        ? [`Nothing of the content was captured for this span (capture: ${capture}).`]
        : ['Messages, arguments and results are off by default. ', el('code', {}, '.capture(CaptureMode::Redacted)'), ' on the builder shows them here, without secrets.'];
    return span.end === undefined ? el('p.hint', {}, 'Messages show up when the span ends, if they are captured.') : el('p.hint', {}, ...text);
  }

  /** A part that can be closed, and stays so for the next span; made anew only if its data changed. */
  section(title, data, content, n) {
    const text = JSON.stringify(data, null, 2);
    const known = this.parts.get(title);
    if (known?.text === text) return known.part;
    const part = el('details.part', { open: !this.shut.has(title) },
      el('summary', {}, el('span', {}, title), n === undefined ? undefined : el('span.n', {}, count(n)),
        copyButton(() => text, `Copy ${title.toLowerCase()} as JSON`)),
      ...content());
    this.parts.set(title, { text, part });
    part.addEventListener('toggle', () => (part.open ? this.shut.delete(title) : this.shut.add(title)));
    attr(part, 'data-part', title.toLowerCase());
    return part;
  }
}
