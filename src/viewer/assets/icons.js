// What spans are and how they went, as small drawings: the shapes of the terminal tree. Owns the table of kinds.

import { visible } from './format.js';

const SVG = 'http://www.w3.org/2000/svg';

// Shapes on a 16 by 16 board, filled by the even-odd rule.
const SHAPES = {
  workflow: 'M8 1l7 7-7 7-7-7zM8 3.4L3.4 8 8 12.6 12.6 8zM8 5.6L10.4 8 8 10.4 5.6 8z',
  diamond: 'M8 1.5L14.5 8 8 14.5 1.5 8z',
  hollow: 'M8 1.5L14.5 8 8 14.5 1.5 8zM8 4.3L4.3 8 8 11.7 11.7 8z',
  step: 'M5 3l7 5-7 5z',
  circle: 'M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11z',
  square: 'M3 3h10v10H3z',
  up: 'M8 2.5L14.5 13.5h-13z',
  down: 'M8 13.5L1.5 2.5h13z',
  ring: 'M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM8 4.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z',
  small: 'M5 5h6v6H5z',
};

// kind: [shape, colour class, what people call it]
const KINDS = {
  workflow: ['workflow', 'k-agent', 'workflow'],
  agent: ['diamond', 'k-agent', 'agent'],
  a2a: ['diamond', 'k-agent', 'agent to agent'],
  plan: ['hollow', 'k-agent', 'plan'],
  step: ['step', 'k-plain', 'step'],
  llm: ['circle', 'k-llm', 'model call'],
  tool: ['square', 'k-tool', 'tool'],
  mcp: ['square', 'k-tool', 'MCP'],
  retrieval: ['up', 'k-data', 'retrieval'],
  memory: ['up', 'k-data', 'memory'],
  guardrail: ['down', 'k-guard', 'guardrail'],
  security: ['down', 'k-guard', 'security'],
  evaluation: ['ring', 'k-human', 'evaluation'],
  human: ['ring', 'k-human', 'human'],
};
const OTHER = ['small', 'k-plain'];

const STATUS = {
  open: 'M4 8h.01M8 8h.01M12 8h.01',
  completed: 'M3 8.5l3.5 3.5L13 4.5',
  failed: 'M4 4l8 8M12 4l-8 8',
  blocked: 'M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM4.2 11.8l7.6-7.6',
  paused: 'M5.5 4v8M10.5 4v8',
  canceled: 'M4 8h8',
};

/** What a kind is called. */
export function kindName(kind) {
  return KINDS[kind]?.[2] ?? (kind === 'span' ? 'plain span' : kind);
}

/** The class that gives a kind its colour. */
export function kindClass(kind) {
  return (KINDS[kind] ?? OTHER)[1];
}

/** An empty drawing, to be filled by the functions below. */
export function icon(className) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('class', className);
  svg.setAttribute('aria-hidden', 'true');
  svg.append(document.createElementNS(SVG, 'path'));
  return svg;
}

function draw(svg, key, path, className, label) {
  if (svg.drawn === key) return;
  svg.drawn = key;
  svg.firstChild.setAttribute('d', path);
  svg.setAttribute('class', className);
  svg.removeAttribute('aria-hidden');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
}

/** Draws what a span is. */
export function drawKind(svg, kind) {
  const [shape, colour] = KINDS[kind] ?? OTHER;
  draw(svg, kind, SHAPES[shape], `kind ${colour}`, visible(kindName(kind)));
}

/** Draws how it went. */
export function drawStatus(svg, status) {
  const known = Object.hasOwn(STATUS, status) ? status : 'canceled';
  draw(svg, known, STATUS[known], `mark s-${known}`, known);
}

export function kindIcon(kind) {
  const svg = icon('kind');
  drawKind(svg, kind);
  return svg;
}

export function statusIcon(status) {
  const svg = icon('mark');
  drawStatus(svg, status);
  return svg;
}

/** A line drawing of our own: chevrons, crosses. */
export function lineIcon(path) {
  const svg = icon('line');
  svg.firstChild.setAttribute('d', path);
  return svg;
}
