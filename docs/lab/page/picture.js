// A schedule as a picture, in the style of docs/pictures: time runs downwards, a column a thread, a row a step.

const PICTURE_STYLE = `
  text { font: 13px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, 'Noto Sans Mono CJK SC', monospace; fill: #1f2328 }
  .title { font-weight: bold; font-size: 15px }
  .soft { fill: #656d76 }
  .ground { fill: #ffffff }
  .life { stroke: #d0d7de }
  .op { fill: #f6f8fa; stroke: #d0d7de }
  .note { fill: none; stroke: none }
  .bad { fill: #ffebe9; stroke: #cf222e; stroke-width: 2 }
  .old { fill: #ffebe9; stroke: #cf222e; stroke-width: 1.5; stroke-dasharray: 5 3 }
  .hidden { stroke: #cf222e; stroke-width: 1.5; stroke-dasharray: 5 3; fill: none }
  .said { fill: #cf222e }
  .calm { fill: #1a7f37 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .soft { fill: #8d96a0 }
    .ground { fill: #0d1117 }
    .life { stroke: #30363d }
    .op { fill: #161b22; stroke: #30363d }
    .note { fill: none; stroke: none }
    .bad { fill: #3c1618; stroke: #f85149 }
    .old { fill: #3c1618; stroke: #f85149 }
    .hidden { stroke: #f85149 }
    .said { fill: #ff7b72 }
    .calm { fill: #3fb950 }
  }
`;

// What a picture shows: rows ({thread, text, order, kind, number}; a note has no number), and the pairs of rows of which the first, a store,
// is not visible yet to the second, a load.
function rowsOf(graph, way, wording) {
  const rows = [], hidden = [];
  let number = 0;
  const stores = graph.places.map(() => []);
  let here = graph.start;
  let log = graph.states[here].log;
  for (const { thread, step, target } of way) {
    const state = graph.states[target];
    const kind = step.op === 'kill' ? 'bad' : step.stale ? 'old' : 'op';
    rows.push({ thread, text: wording.row(step), order: step.order ?? '', kind, number: ++number });
    if (step.op === 'store') stores[step.place].push({ row: rows.length - 1, value: step.value });
    if (step.stale) {
      const missed = missedStore(stores[step.place], graph.states[here].memory.sees[thread]?.[step.place], state.memory.sees[thread]?.[step.place], step.value);
      if (missed) hidden.push({ from: missed.row, to: rows.length - 1 });
    }
    here = target;
    for (const [what, whose, value] of added(log, state.log)) rows.push({ thread: whose, text: wording.log(what, value), order: '', kind: 'note' });
    log = state.log;
  }
  return { rows, hidden };
}

// The oldest of the stores `made` to a place that a load of an old value misses. `before` and `after` are what its side
// could see there, the oldest first. None: it can't be told which store was read.
function missedStore(made, before = [], after = [], value) {
  const same = (one, other) => one.length === other.length && one.every((each, place) => each === other[place]);
  const newer = made.slice(made.length - before.length + 1);
  if (before.length < 2 || newer.length !== before.length - 1 || !same(newer.map((store) => store.value), before.slice(1))) return undefined;
  // A side that has seen a store sees no older one any more.
  if (after.length > 1 && after[0] === value && same(before.slice(-after.length), after)) return newer.at(1 - after.length);
  const read = before.slice(0, -1).flatMap((each, place) => (each === value ? [place] : []));
  return read.length === 1 ? newer[read[0]] : undefined;
}

function picture(graph, way, wording) {
  const COLUMN = 330, MARGIN = 44, ROW = 26, BOX = 300, HEAD = 96;
  const { rows, hidden } = rowsOf(graph, way, wording);
  const escape = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
  const x = (thread) => MARGIN + thread * COLUMN;
  const top = (row) => HEAD + row * ROW;
  const middle = (row) => top(row) + (ROW - 4) / 2;
  // Chinese characters take the room of two.
  const size = (text) => [...text].reduce((sum, one) => sum + (one > '\u2e7f' ? 13 : 7.85), 0);
  const lines = wrap(wording.outcome, graph.threads.length * COLUMN - 20, size);
  const legend = hidden.length > 0 ? wording.legendHidden : rows.some(({ kind }) => kind === 'old') ? wording.legendOld : wording.legend;
  const width = MARGIN + Math.max(graph.threads.length * COLUMN, size(legend) * 0.95 + 20, size(wording.title) * 1.2 + 20);
  const height = HEAD + rows.length * ROW + 30 + lines.length * 20 + 14;
  const out = [];
  const put = (line) => out.push(line);
  put(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${Math.ceil(width)} ${height}" width="${Math.ceil(width)}" height="${height}" role="img">`);
  put(`<title>${escape(wording.title)}</title>`);
  put(`<desc>${escape(rows.map((row) => `${row.number ? `${row.number}. ` : ''}${wording.thread(row.thread)}: ${row.text}`).join('\n'))}</desc>`);
  put(`<style>${PICTURE_STYLE}</style>`);
  put(`<rect class="ground" width="${Math.ceil(width)}" height="${height}"/>`);
  put(`<text class="title" x="${MARGIN}" y="28">${escape(wording.title)}</text>`);
  put(`<text class="soft" x="${MARGIN}" y="48">${escape(legend)}</text>`);
  graph.threads.forEach((_, thread) => {
    put(`<text class="title" x="${x(thread)}" y="82">${escape(wording.thread(thread))}</text>`);
    put(`<path class="life" d="M${x(thread) + BOX / 2} ${HEAD - 4}V${top(rows.length)}"/>`);
  });
  for (const { from, to } of hidden) {
    const [a, b] = [rows[from].thread, rows[to].thread];
    const [start, end] = a < b ? [x(a) + BOX, x(b)] : a > b ? [x(a), x(b) + BOX] : [x(a) + BOX, x(b) + BOX];
    put(`<path class="hidden" d="M${start} ${middle(from)}L${end} ${middle(to)}"/>`);
  }
  rows.forEach((row, index) => {
    const [left, y] = [x(row.thread), top(index)];
    const soft = row.kind === 'note' ? ' class="soft"' : '';
    put(`<rect class="${row.kind}" x="${left}" y="${y}" width="${BOX}" height="${ROW - 4}" rx="4"/>`);
    const room = size(row.text) + size(row.order) + 30 > BOX ? ` textLength="${BOX - 30 - size(row.order)}" lengthAdjust="spacingAndGlyphs"` : '';
    put(`<text${soft} x="${left + 10}" y="${y + 16}"${room}>${escape(row.text)}</text>`);
    if (row.order) put(`<text class="soft" x="${left + BOX - 10}" y="${y + 16}" text-anchor="end">${escape(row.order)}</text>`);
    if (row.number) put(`<text class="soft" x="12" y="${y + 17}">${row.number}</text>`);
  });
  lines.forEach((line, number) => {
    put(`<text class="${wording.failed ? 'said' : 'calm'}" x="${MARGIN}" y="${top(rows.length) + 30 + number * 20}">${escape(line)}</text>`);
  });
  put('</svg>');
  return out.join('\n') + '\n';
}

// Lines of at most `room`, broken at blanks, or between Chinese characters.
function wrap(text, room, size) {
  const lines = [''];
  for (const word of text.match(/[\u2e80-\uffef]|[^\s\u2e80-\uffef]+\s*|\s+/g) ?? []) {
    const closing = /^[，。；：、！？）”]/.test(word);
    if (!closing && size(lines.at(-1) + word.trimEnd()) > room && lines.at(-1) !== '') lines.push('');
    lines[lines.length - 1] += word;
  }
  return lines.map((line) => line.trimEnd()).filter((line) => line !== '');
}
