// The spans of one run as a tree, and as the rows people see. Owns order and collapsing; takes changes without building it anew.

/** One span in its place. */
class Node {
  constructor(span) {
    this.span = span;
    this.up = null;
    this.below = [];
    this.depth = 0;
    this.row = -1;
  }

  get key() {
    return this.span.id;
  }
}

export class Tree {
  constructor(moments = true) {
    this.nodes = new Map();
    this.roots = [];
    // Nodes whose parent is not here (yet), by that parent's id.
    this.waiting = new Map();
    this.collapsed = new Set();
    this.moments = moments;
    this.flat = [];
    this.stale = true;
    // How deep the rows go.
    this.deepest = 0;
    this.open = 0;
    this.start = Infinity;
    this.end = 0;
    this.ttfc = [Infinity, 0];
  }

  /** Adds a span, or what became of it. */
  upsert(span) {
    let node = this.nodes.get(span.id);
    const was = node?.span;
    if (!node) {
      node = new Node(span);
      this.nodes.set(span.id, node);
    } else {
      this.open -= was.status === 'open' ? 1 : 0;
      node.span = span;
    }
    this.open += span.status === 'open' ? 1 : 0;
    this.start = Math.min(this.start, span.start);
    this.end = Math.max(this.end, span.end ?? span.start);
    if (span.ttfc !== undefined) this.ttfc = [Math.min(this.ttfc[0], span.ttfc), Math.max(this.ttfc[1], span.ttfc)];
    if (was && was.parent === span.parent && was.start === span.start) {
      if (this.moments && (was.moments?.length ?? 0) !== (span.moments?.length ?? 0)) this.stale = true;
      return;
    }
    this.stale = true;
    if (was) this.detach(node, was.parent);
    this.attach(node);
    if (!was) this.adopt(node);
  }

  attach(node) {
    const parent = this.nodes.get(node.span.parent);
    // Spans that are their own ancestors would be seen by nobody.
    if (parent && !this.above(parent, node)) {
      node.up = parent;
      insert(parent.below, node);
      return;
    }
    node.up = null;
    insert(this.roots, node);
    if (node.span.parent) {
      const others = this.waiting.get(node.span.parent);
      if (others) others.add(node);
      else this.waiting.set(node.span.parent, new Set([node]));
    }
  }

  detach(node, parent) {
    const siblings = node.up ? node.up.below : this.roots;
    siblings.splice(siblings.indexOf(node), 1);
    this.waiting.get(parent)?.delete(node);
  }

  adopt(parent) {
    const children = this.waiting.get(parent.span.id);
    if (!children) return;
    this.waiting.delete(parent.span.id);
    this.roots = this.roots.filter((node) => !children.has(node));
    for (const node of children) this.attach(node);
  }

  /** Whether `node` is `below` or stands somewhere over it. */
  above(below, node) {
    if (below === node) return true;
    if (node.below.length === 0) return false;
    for (let at = below; at; at = at.up) if (at === node) return true;
    return false;
  }

  /** The rows: nodes and, where they are shown, moments, in the order they happened. */
  rows() {
    if (!this.stale) return this.flat;
    this.stale = false;
    const rows = [];
    const stack = [];
    this.deepest = 0;
    for (let i = this.roots.length - 1; i >= 0; i -= 1) stack.push(this.roots[i]);
    for (const node of this.roots) node.depth = 0;
    while (stack.length) {
      const row = stack.pop();
      row.row = rows.length;
      rows.push(row);
      if (row.depth > this.deepest) this.deepest = row.depth;
      if (row.moment || this.collapsed.has(row.key)) continue;
      const below = this.below(row);
      for (let i = below.length - 1; i >= 0; i -= 1) {
        below[i].depth = row.depth + 1;
        stack.push(below[i]);
      }
    }
    this.flat = rows;
    return rows;
  }

  below(node) {
    const shown = this.moments ? (node.span.moments ?? []) : [];
    const notes = [];
    for (let i = 0; i < shown.length; i += 1) {
      // Debug moments are chatter such as the pieces of a stream: marks on the bar only.
      if (shown[i].level !== 'debug') notes.push({ moment: shown[i], node, key: `${node.key}/${i}`, depth: 0, row: -1 });
    }
    if (notes.length === 0) return node.below;
    return [...node.below, ...notes].sort((a, b) => (a.moment?.at ?? a.span.start) - (b.moment?.at ?? b.span.start));
  }

  hasBelow(node) {
    return node.below.length > 0 || (this.moments && (node.span.moments ?? []).some((m) => m.level !== 'debug'));
  }

  /** What a collapsed node hides: how many spans, and how many of them failed. */
  hidden(node) {
    let [spans, failed] = [0, 0];
    const stack = [...node.below];
    while (stack.length) {
      const at = stack.pop();
      spans += 1;
      if (at.span.status === 'failed') failed += 1;
      for (const child of at.below) stack.push(child);
    }
    return { spans, failed };
  }

  toggle(node, closed = !this.collapsed.has(node.key)) {
    if (closed) this.collapsed.add(node.key);
    else this.collapsed.delete(node.key);
    this.stale = true;
  }

  /** Opens everything that hides `node`. */
  expose(node) {
    for (let at = node.up; at; at = at.up) if (this.collapsed.delete(at.key)) this.stale = true;
  }

  /** Collapses everything below the roots, or opens everything. */
  collapse(all) {
    this.collapsed.clear();
    if (all) {
      for (const node of this.nodes.values()) if (node.below.length && node.up) this.collapsed.add(node.key);
    }
    this.stale = true;
  }

  indexOf(key) {
    const node = this.nodes.get(key);
    // The row number is right only if the row is really there.
    if (node) return this.flat[node.row] === node ? node.row : -1;
    return this.flat.findIndex((row) => row.key === key);
  }

  /** The next failed span after a row, in the order of the rows of a whole tree. */
  nextFailed(after) {
    const rows = this.rows();
    for (let i = 1; i <= rows.length; i += 1) {
      const row = rows[(after + i + rows.length) % rows.length];
      if (!row.moment && row.span.status === 'failed') return row;
    }
    return undefined;
  }
}

/** Keeps siblings in the order they began. Most come last. */
function insert(siblings, node) {
  let [from, to] = [0, siblings.length];
  if (to > 0 && !later(siblings[to - 1].span, node.span)) from = to;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (later(siblings[middle].span, node.span)) to = middle;
    else from = middle + 1;
  }
  siblings.splice(from, 0, node);
}

function later(a, b) {
  return a.start > b.start || (a.start === b.start && a.id > b.id);
}
