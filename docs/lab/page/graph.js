// The state graph: unpacked, walked, and named in a link. No word of any language is in here.

// A state in the file: [memory, privates, log, outcome, statuses, edges].
const ENDED = 2, DEAD = 3;

async function unpack(id) {
  const packed = atob(document.getElementById('graph-' + id).textContent.trim());
  const bytes = Uint8Array.from(packed, (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return understand(await new Response(stream).json());
}

// The graph with its states by name, and each state's choices in the order in which the page shows them.
function understand(file) {
  const states = file.states.map(([memory, privates, log, outcome, statuses, edges]) => ({
    memory: file.memories[memory],
    privates: privates.map((one) => file.privates[one]),
    log: file.logs[log],
    outcome: outcome < 0 ? null : file.outcomes[outcome],
    statuses,
    choices: choices(file, edges),
  }));
  // Which places a thread reads at all: what it could see in the others does not matter.
  const reads = file.threads.map(() => new Set());
  for (const [, , , , , edges] of file.states) {
    for (const [thread, step] of edges) if (file.steps[step].op === 'load') reads[thread].add(file.steps[step].place);
  }
  return { ...file, states, reads };
}

// What can be done in a state: the threads in order; of one thread the newest value first, the kill last.
function choices(file, edges) {
  const rank = (step) => (step.op === 'kill' ? 2 : step.stale ? 1 : 0);
  const named = edges.map(([thread, number, target], place) => ({ thread, number, step: file.steps[number], target, place }));
  named.sort((a, b) => a.thread - b.thread || rank(a.step) - rank(b.step) || a.place - b.place);
  const seen = {};
  for (const choice of named) {
    const kind = ['', 'old', 'kill'][rank(choice.step)];
    const key = choice.thread + kind;
    seen[key] = (seen[key] ?? 0) + 1;
    const again = seen[key] > 1 ? String(seen[key]) : '';
    const name = kind + again;
    choice.name = short(file.threads[choice.thread]) + (name && '.' + name);
  }
  return named;
}

// `writer` is w, `reader-b` is rb.
function short(thread) {
  return thread.split('-').map((word) => word[0]).join('');
}

// A shortest way from `from` to where `isWanted`: the choices, or null. Of ways of the same length the one with the
// fewest old values counts, and then the one with the fewest changes of sides.
function shortest(graph, from, isWanted) {
  const better = (a, b) => a.old < b.old || (a.old === b.old && a.changes < b.changes);
  const met = new Set([from]);
  let ways = new Map([['', { state: from, last: null, old: 0, changes: 0, before: null, choice: null }]]);
  while (ways.size > 0) {
    const there = [...ways.values()].filter(({ state }) => isWanted(graph.states[state]));
    if (there.length > 0) {
      const way = [];
      for (let at = there.reduce((a, b) => (better(b, a) ? b : a)); at.choice; at = at.before) way.unshift(at.choice);
      return way;
    }
    const next = new Map();
    for (const before of ways.values()) {
      for (const choice of graph.states[before.state].choices) {
        if (met.has(choice.target)) continue;
        const way = {
          state: choice.target, last: choice.thread, before, choice,
          old: before.old + (choice.step.stale ? 1 : 0),
          changes: before.changes + (before.last === null || before.last === choice.thread ? 0 : 1),
        };
        const key = `${way.state} ${way.last}`;
        if (!next.has(key) || better(way, next.get(key))) next.set(key, way);
      }
    }
    for (const { state } of next.values()) met.add(state);
    ways = next;
  }
  return null;
}

// What a step added to the log. (The log of a state has its entries by threads; nothing is ever taken out of it.)
function added(before, after) {
  const left = before.map(String);
  return after.filter((entry) => {
    const place = left.indexOf(String(entry));
    if (place >= 0) left.splice(place, 1);
    return place < 0;
  });
}

// What has happened on this way, in its order.
function chronicle(graph, way) {
  const log = [...graph.states[graph.start].log];
  let before = log;
  for (const { target } of way) {
    const after = graph.states[target].log;
    if (after !== before) log.push(...added(before, after));
    before = after;
  }
  return log;
}

const isFailure = (state) => state.outcome !== null;
const isOver = (state) => state.statuses.every((status) => status === ENDED || status === DEAD);

// Walks through all of the graph: how many states there are, how many steps between them, in how many of them something
// went wrong, and from how many of them no way leads to an end.
function survey(graph) {
  const reached = new Set([graph.start]);
  const before = graph.states.map(() => []);
  let steps = 0, failures = 0;
  for (const here of reached) {
    if (isFailure(graph.states[here])) failures++;
    for (const choice of graph.states[here].choices) {
      steps++;
      before[choice.target].push(here);
      reached.add(choice.target);
    }
  }
  const ends = new Set([...reached].filter((here) => isOver(graph.states[here])));
  for (const here of ends) for (const one of before[here]) ends.add(one);
  return { states: reached.size, all: graph.states.length, steps, failures, stuck: reached.size - ends.size };
}

// The states from which it can still go as wanted.
function hopeful(graph, isWanted) {
  const before = graph.states.map(() => []);
  graph.states.forEach((state, here) => state.choices.forEach((choice) => before[choice.target].push(here)));
  const found = new Set(graph.states.map((_, here) => here).filter((here) => isWanted(graph.states[here])));
  for (const here of found) for (const one of before[here]) found.add(one);
  return found;
}

// A thousand steps, each chosen at random, from the start again whenever nothing more can be done. Stops at a failure.
function wander(graph, steps, random = Math.random) {
  let here = graph.start, runs = 1, way = [], whole = [];
  for (let taken = 0; taken < steps; taken++) {
    const open = graph.states[here].choices;
    if (isFailure(graph.states[here])) return { runs, taken, way, failed: true };
    if (open.length === 0) {
      if (here === graph.start) break;
      [here, whole, way] = [graph.start, way, []];
      runs++;
      taken--;
      continue;
    }
    const choice = open[Math.floor(random() * open.length)];
    way.push(choice);
    here = choice.target;
  }
  return { runs, taken: steps, way: whole.length > 0 ? whole : way, failed: isFailure(graph.states[here]) };
}

// A schedule as it stands in a link: `w4-r-r.old` is four steps of the writer, one of the reader, and a load of the
// reader that sees an old value.
function scheduleName(way) {
  const parts = [];
  for (const { name } of way) {
    const last = parts.at(-1);
    if (last?.name === name) last.times++;
    else parts.push({ name, times: 1 });
  }
  const text = ({ name, times }) => (times === 1 ? name : name.includes('.') ? `${name}*${times}` : name + times);
  return parts.map(text).join('-');
}

// The most steps that a link can have.
const MOST_STEPS = 500;

// The other way round: as many steps as can be taken, and whether that is all of them.
function schedule(graph, text) {
  const way = [];
  let here = graph.start;
  for (const part of text.split('-').filter((word) => word !== '')) {
    const match = /^([a-z]{1,3})(?:(\d{1,4})|(\.[a-z]*\d*)(?:\*(\d{1,4}))?)?$/.exec(part);
    const name = match && match[1] + (match[3] ?? '');
    const times = match ? Number(match[2] ?? match[4] ?? 1) : 1;
    for (let time = 0; time < times; time++) {
      const choice = graph.states[here].choices.find((one) => one.name === name);
      if (!choice || way.length >= MOST_STEPS) return { way, whole: false };
      way.push(choice);
      here = choice.target;
    }
  }
  return { way, whole: true };
}
