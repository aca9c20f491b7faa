// The page: one exercise, one schedule, and where in it we are.

const words = JSON.parse(document.getElementById('words').textContent);
const exercises = JSON.parse(document.getElementById('exercise-list').textContent);
const at = (id) => document.getElementById(id);
const language = document.documentElement.lang;
const graphs = new Map();

// What is shown. `way` are the steps of the schedule, of which the first `done` have been taken. `given` says how the
// schedule came about, if not by the user's own choices: it was `shown`, or `linked` to. (A link is where one goes on
// from: once a step is not the link's, the schedule is the user's own.)
const now = { id: null, graph: null, way: [], done: 0, given: null, listed: [], hints: 0, playing: null, paused: false, notice: '', hope: null, changed: null };

const KEPT = 'shm-handoff-lab';
const kept = {};
// What other tabs have kept since comes in. (Whatever else may lie there under this name is left out.)
function readKept() {
  let there = null;
  try { there = JSON.parse(localStorage.getItem(KEPT)); } catch { /* It is fine without. */ }
  for (const { id } of exercises) {
    if (there?.[id] === 'solved' || (there?.[id] === 'shown' && !kept[id])) kept[id] = there[id];
  }
}
function keep(id, what) {
  readKept();
  if (kept[id] !== 'solved') kept[id] = what;
  try { localStorage.setItem(KEPT, JSON.stringify(kept)); } catch { /* It is fine without. */ }
}
// The user's own schedule in this tab: it stays theirs when the page is loaded again, in the other language, too.
function keepOwn(schedule) {
  try { sessionStorage.setItem(KEPT, schedule); } catch { /* It is fine without. */ }
}
function isOwn(schedule) {
  try { return sessionStorage.getItem(KEPT) === schedule; } catch { return false; }
}

// A word by its name, such as `tools.undo`, with what stands in braces filled in; `{count step/steps}` is a number
// with its noun. None: an empty text.
function word(name, fill = {}) {
  let found = words;
  for (const part of name.split('.')) found = found?.[part];
  if (typeof found !== 'string') return '';
  return found
    .replace(/\{(\w+) (\w+)\/(\w+)\}/g, (_, key, one, many) => `${fill[key]} ${fill[key] === '1' ? one : many}`)
    .replace(/\{(\w+)\}/g, (_, key) => fill[key] ?? '')
    .replace(/([A-Z])(?=[\u4e00-\u9fff])/g, '$1 ');
}
const exercise = () => words.exercises[now.id];
const isOurs = (id = now.id) => !exercises.find((one) => one.id === id).wanted;
// Whether this is the failure that the exercise is about.
const isWanted = ({ outcome }) => outcome !== null && (exercises.find((one) => one.id === now.id).wanted ?? []).includes(outcome);
const state = () => now.graph.states[here()];
const here = () => (now.done > 0 ? now.way[now.done - 1].target : now.graph.start);
const number = (count) => count.toLocaleString(language);

// An element. What begins and ends with a backquote in a text is code.
function make(tag, { text, class: name, ...rest } = {}, ...children) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text !== undefined) fill(element, text);
  for (const [key, value] of Object.entries(rest)) if (value !== undefined && value !== null) element.setAttribute(key, value);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}
function fill(element, text) {
  element.replaceChildren();
  text.split('`').forEach((part, place) => {
    if (part === '') return;
    element.append(place % 2 ? make('code', {}, part) : part);
  });
}
const plain = (text) => text.replace(/`/g, '');

// --- Wording -----------------------------------------------------------------------------------------------------

const isText = (place) => now.graph.places[place].startsWith('text');
const place = (index) => now.graph.places[index];
function value(index, quoted) {
  const text = now.graph.values[index];
  return quoted || !/^-?\d+$/.test(text) ? `"${text}"` : text;
}
const valueAt = (index, where) => value(index, isText(where));
const thread = (index) => word('threads.' + now.graph.threads[index]) || now.graph.threads[index];
const answer = (step) => (step.value === undefined || step.value < 0 ? '' : now.graph.values[step.value]);

// What a step does, without who does it and what it sees: `read written`.
function does(step) {
  // (The kernel's answer is a value of no place.)
  const fill = step.place === undefined ? {} : { place: place(step.place), value: valueAt(step.value, step.place) };
  switch (step.op) {
    case 'load': return word('does.load', fill);
    case 'store': return word('does.store', fill);
    case 'kernel': return word('kernel.' + step.name) || word('does.kernel', { name: step.name });
    case 'wait': return word(isOurs() ? 'does.pause' : 'does.wait');
    default: return word('does.' + step.op) || step.op;
  }
}
// How a load is told of: what it sees may be `now`, `old`, or an older store of the `same` value. (Before the step.)
const age = (step, before) => (!step.stale ? 'now' : step.value === before.memory.now[step.place] ? 'same' : 'old');
// What comes of it: `sees 0`.
function sees(step, before = state()) {
  if (step.op === 'load') return word('sees.' + age(step, before), { value: valueAt(step.value, step.place) });
  if (step.op === 'kernel' && answer(step)) return word('sees.answer', { answer: word('answers.' + answer(step)) || answer(step) });
  return word('sees.' + step.op);
}
const outcomeWords = (outcome) => ({
  title: word(`outcomes.${outcome}`) || outcome,
  text: exercise().outcomes?.[outcome] || exercise().outcomes?.any || '',
});
// The sentence that tells of a step that was taken.
function tells(choice, before) {
  const { step } = choice;
  const fill = {
    thread: thread(choice.thread), place: place(step.place), do: plain(does(step)), sees: plain(sees(step, before)),
    what: step.op === 'kernel' ? word('kernelTells.' + step.name) || plain(does(step)) : '',
    value: step.value === undefined || step.place === undefined ? '' : valueAt(step.value, step.place),
    now: step.place === undefined ? '' : valueAt(before.memory.now[step.place], step.place),
  };
  if (step.op === 'load') return word({ now: 'tells.load', old: 'tells.old', same: 'tells.same' }[age(step, before)], fill);
  if (step.op === 'kernel') return word(answer(step) ? 'tells.answer' : 'tells.kernel', fill);
  if (step.op === 'wait' && isOurs()) return word('tells.pause', fill);
  return word('tells.' + step.op, fill) || word('tells.any', fill);
}
function logLine(what, index) {
  const fill = { value: index >= 0 ? value(index, true) : '' };
  return word('log.' + what, fill) || `${what} ${fill.value}`.trim();
}
const logTells = ([what, whose, index]) =>
  word('tells.log', { thread: thread(whose), what: plain(logLine(what, index)) });

// --- Taking steps ------------------------------------------------------------------------------------------------

function take(choice) {
  stop();
  const before = state();
  const ahead = now.way[now.done];
  if (ahead && ahead.thread === choice.thread && ahead.target === choice.target && ahead.number === choice.number) now.done++;
  else {
    if (now.done === 0 || now.given === 'linked') now.given = null;
    now.way = [...now.way.slice(0, now.done), choice];
    now.done++;
    now.paused = false;
  }
  told(before, choice);
}

// After a step: the sentence about it, and what is drawn.
function told(before, choice) {
  const after = state();
  // (That it has left is what the step itself says.)
  const news = added(before.log, after.log).filter(([what]) => what !== 'left' || choice.step.name !== 'leave').map(logTells);
  now.notice = [tells(choice, before), ...news].join(word('tells.between'));
  // (What a link brought is neither.)
  if (isWanted(after) && now.given !== 'linked') keep(now.id, now.given ?? 'solved');
  now.changed = { before, after };
  draw({ thread: choice.thread });
  if (at('verdict').hidden) return;
  const { top, bottom } = at('verdict').getBoundingClientRect();
  // (What is said may stand fast at the bottom.)
  if (top < 0 || bottom > Math.min(innerHeight, at('said').getBoundingClientRect().top)) at('verdict').scrollIntoView({ block: 'nearest' });
}

// To where `done` steps of the schedule are taken.
function go(done, notice) {
  done = Math.max(0, Math.min(done, now.way.length));
  if (done === now.done + 1) {
    const before = state();
    now.done = done;
    told(before, now.way[done - 1]);
    return;
  }
  now.done = done;
  now.changed = null;
  now.notice = notice ?? (done === 0 ? word('tells.start') : word('tells.back', { number: number(done) }));
  draw();
}
const undo = () => { stop(); if (now.done > 0) go(now.done - 1); };
const redo = () => { stop(); if (now.done < now.way.length) go(now.done + 1); };
// (The steps can be taken again by redo.)
const restart = () => { stop(); if (now.done > 0) go(0); };

function hint() {
  if (isOurs()) return;
  if (now.hints < exercise().hints.length) now.hints++;
  now.notice = '';
  draw();
  if (at('hint').hidden) at('show').focus();
}

// A shortest failure, from the start, one step after the other.
function show() {
  if (isOurs()) return;
  if (now.playing) {
    stop();
    now.paused = true;
    draw();
    return;
  }
  if (canPlayOn()) {
    play();
    draw();
    return;
  }
  const way = shortest(now.graph, now.graph.start, isWanted);
  if (!way) return;
  now.way = way;
  now.given = 'shown';
  now.paused = false;
  go(0, word('tells.show', { count: number(way.length) }));
  if (!matchMedia('(prefers-reduced-motion: reduce)').matches) play();
  draw();
  at('redo').focus();
}
const canPlayOn = () => now.paused && now.done < now.way.length;
function play() {
  now.paused = false;
  now.playing = setInterval(playOn, 1500);
}
function playOn() {
  if (now.done + 1 >= now.way.length) stop();
  go(now.done + 1);
}
function stop() {
  clearInterval(now.playing);
  now.playing = null;
}

function random() {
  stop();
  const { runs, taken, way, failed } = wander(now.graph, 1000);
  now.way = way;
  go(way.length, word(failed ? 'tells.randomFailed' : 'tells.random', { steps: number(taken), runs: number(runs) }));
}

// --- Drawing -----------------------------------------------------------------------------------------------------

function draw({ thread: acted } = {}) {
  const hadFocus = document.activeElement?.closest?.('#stage') ? document.activeElement.closest('.side')?.dataset.thread : undefined;
  const stepFocus = document.activeElement?.closest?.('#steps') ? now.done : undefined;
  drawStage();
  drawVerdict();
  drawTools();
  drawSteps();
  drawHints();
  drawExercises();
  at('said').replaceChildren(now.notice);
  // The verdict stands elsewhere: whoever listens hears it here.
  if (!at('verdict').hidden) at('said').append(make('span', { class: 'unseen' }, ` ${at('verdict-title').textContent} ${at('verdict-text').textContent}`));
  link();
  if (hadFocus !== undefined || acted !== undefined) {
    const wanted = hadFocus ?? String(acted);
    const button = at('stage').querySelector(`.side[data-thread="${wanted}"] .step`) ?? at('stage').querySelector('.step');
    if (hadFocus !== undefined) (button ?? at('undo')).focus({ preventScroll: true });
  }
  if (stepFocus !== undefined) (at('steps').querySelector('[aria-current] ') ?? at('steps')).focus({ preventScroll: true });
}

function sideClass(index) {
  const name = now.graph.threads[index];
  const kin = now.graph.threads.filter((one) => one.split('-')[0] === name.split('-')[0]);
  if (kin.indexOf(name) > 0) return 'third';
  return name.startsWith('reader') ? 'reader' : 'writer';
}

function drawStage() {
  const stage = at('stage');
  const { threads, places } = now.graph;
  const wide = threads.length > 2 || places.length > 3;
  stage.className = `stage${wide ? ' wide' : ''}${threads.length > 2 ? ' three' : ''}${places.length % 3 ? ' many' : ''}`;
  const count = { number: 0 };
  const sides = threads.map((_, index) => drawSide(index, count));
  const [first, ...others] = sides;
  stage.replaceChildren(...(wide ? [drawMemory(), ...sides] : [first, drawMemory(), ...others]));
}

function pairs(list, before) {
  const rows = list.map(([what, index]) => {
    const text = what === 'state' ? word('states.' + now.graph.values[index]) || now.graph.values[index] : value(index, what === 'line' || what === 'copy');
    const was = before?.find(([name]) => name === what);
    const changed = before && (!was || was[1] !== index);
    return [make('dt', {}, word('privates.' + what) || what), make('dd', { class: changed ? 'changed' : '' }, text)];
  });
  return make('dl', { class: 'pairs' }, ...rows.flat());
}

function drawSide(index, count) {
  const { privates, statuses, choices: all } = state();
  const own = all.filter((choice) => choice.thread === index);
  const normal = own.filter((choice) => choice.step.op !== 'kill');
  const kills = own.filter((choice) => choice.step.op === 'kill');
  const before = now.changed?.before.privates[index];
  const status = make('span', { class: statuses[index] === DEAD ? 'status dead' : 'status' }, word(`statuses.${statuses[index]}`));
  const next = make('div', { class: 'next' });
  const same = normal.length > 1 && normal.every(({ step }) => step.op === normal[0].step.op && step.place === normal[0].step.place && step.name === normal[0].step.name);
  if (same) next.append(make('p', { class: 'ask' }, ...ask(normal[0].step)));
  for (const choice of normal) next.append(stepButton(choice, same, ++count.number));
  for (const choice of kills) next.append(killButton(choice, ++count.number));
  if (own.length === 0) next.append(make('p', { class: 'idle', text: idle(statuses[index]) }));
  return make('section', { class: `side ${sideClass(index)}`, 'data-thread': index, 'aria-label': thread(index) },
    make('h3', {}, make('span', {}, thread(index)), status),
    next, privates[index].length > 0 ? pairs(privates[index], before) : null);
}
function ask(step) {
  const element = make('span');
  fill(element, word('ask', { do: does(step) }));
  return [...element.childNodes];
}
function idle(status) {
  return word(status < ENDED && state().outcome ? 'idle.over' : `idle.${status}`);
}

function stepButton(choice, same, count) {
  const { step } = choice;
  const button = make('button', { type: 'button', class: 'step', title: step.from });
  const who = make('span', { class: 'unseen' }, `${thread(choice.thread)}: `);
  const seen = sees(step);
  if (same) {
    button.append(who, make('span', { class: 'unseen', text: does(step) + ' ' }), make('span', { class: step.stale ? 'sees older' : 'sees', text: seen }));
  } else {
    button.append(make('span', { class: 'do' }, who, plain(does(step))));
    if (seen) button.append(make('span', { class: step.stale ? 'sees older' : 'sees', text: seen }));
  }
  if (step.order && !same) button.append(make('span', { class: 'order' }, word('orders.' + step.order) || step.order));
  button.append(make('kbd', { 'aria-hidden': 'true' }, String(count)));
  button.dataset.key = count;
  button.dataset.edge = choice.place;
  button.addEventListener('click', () => take(choice));
  return button;
}
function killButton(choice, count) {
  const button = make('button', { type: 'button', class: 'kill', 'data-key': count, 'data-edge': choice.place },
    word('does.killHim', { thread: thread(choice.thread) }), ' ', make('kbd', { 'aria-hidden': 'true' }, String(count)));
  button.addEventListener('click', () => take(choice));
  return button;
}

function drawMemory() {
  const { memory } = state();
  const log = chronicle(now.graph, now.way.slice(0, now.done));
  const before = now.changed?.before;
  // (A second memory is not there from the start.)
  const rows = now.graph.places.slice(0, memory.now.length).map((name, index) => {
    const changed = before && before.memory.now[index] !== memory.now[index];
    const row = make('div', { class: 'row' }, make('span', { class: 'name' }, name), make('span', { class: changed ? 'value changed' : 'value' }, valueAt(memory.now[index], index)));
    const older = (values) => values.slice(0, -1).filter((one) => one !== memory.now[index]);
    const olds = now.graph.threads.map((_, reader) => ({ reader, values: older(memory.sees[reader]?.[index] ?? []) }))
      .filter(({ reader, values }) => values.length > 0 && now.graph.reads[reader].has(index) && state().statuses[reader] < ENDED);
    const marks = olds.map(({ reader, values }) => make('span', { class: 'old', text: word('page.canSee', {
      thread: thread(reader),
      values: [...new Set(values)].map((one) => '`' + valueAt(one, index) + '`').join(word('page.or')),
    }) }));
    return make('li', { class: olds.length > 0 ? 'word stale' : 'word' }, row, ...marks);
  });
  const lines = log.map((entry, index) => make('li', { class: before && index >= before.log.length ? 'changed' : '' },
    make('span', { class: 'who' }, word('page.logWho', { thread: thread(entry[1]) }).replace(/([A-Z])$/, '$1 ')), ...logged(entry)));
  return make('section', { class: 'memory', 'aria-label': word('page.memory') },
    make('div', {}, make('h3', {}, word('page.memory')), make('ul', { class: 'words' }, ...rows)),
    make('div', { class: 'happened' }, make('h4', {}, word('page.log')),
      lines.length > 0 ? make('ul', { class: 'log' }, ...lines) : make('p', { class: 'soft' }, word('page.logNone'))));
}
function logged([what, , index]) {
  const element = make('span', { text: logLine(what, index) });
  return [...element.childNodes];
}

function drawVerdict() {
  const { outcome, choices: open } = state();
  const box = at('verdict');
  const over = open.length === 0 && !outcome;
  box.hidden = !outcome && !over;
  at('story').hidden = !box.hidden;
  box.classList.toggle('calm', over);
  if (outcome) {
    const found = outcomeWords(outcome);
    at('verdict-title').textContent = found.title;
    fill(at('verdict-text'), found.text);
    fill(at('verdict-more'), isWanted(state()) ? word(now.given ? 'verdict.shown' : 'verdict.solved', { steps: number(now.done) }) + word('tells.between') + exercise().more : word('verdict.other'));
  } else if (over) {
    // (What an exercise says of it is about a side that was killed.)
    const killed = state().statuses.includes(DEAD) || isOurs() ? exercise() : {};
    at('verdict-title').textContent = killed.calmTitle ?? word(isOurs() ? 'verdict.calmOurs' : 'verdict.calm');
    fill(at('verdict-text'), killed.calm ?? word(isOurs() ? 'verdict.calmOursText' : 'verdict.calmText'));
    at('verdict-more').textContent = '';
  }
}

function drawTools() {
  const { hints } = exercise();
  const ours = isOurs();
  // (A button that is really disabled would lose the focus.)
  for (const [id, off] of Object.entries({ undo: now.done === 0, redo: now.done >= now.way.length, restart: now.done === 0 })) {
    at(id).setAttribute('aria-disabled', off);
  }
  const left = (hints ?? []).length - now.hints;
  at('hint').hidden = ours || left <= 0;
  at('hint').textContent = word('tools.hint', { number: now.hints + 1, count: (hints ?? []).length });
  at('show').hidden = ours || left > 0;
  at('show').textContent = word(now.playing ? 'tools.pause' : canPlayOn() ? 'tools.playOn' : 'tools.show');
  at('random').hidden = !ours;
}

function drawHints() {
  const list = (exercise().hints ?? []).slice(0, now.hints).map((text) => make('p', { text }));
  if (now.hints > 0 && !isOurs() && state().outcome === null) {
    now.hope ??= hopeful(now.graph, isWanted);
    if (!now.hope.has(here())) list.push(make('p', { text: word('tells.hopeless') }));
  }
  if (at('hints').textContent !== list.map((one) => one.textContent).join('')) at('hints').replaceChildren(...list);
}

function drawSteps() {
  const steps = at('steps');
  steps.parentElement.style.setProperty('--columns', now.graph.threads.length);
  at('heads').hidden = at('steps-none').hidden = false;
  at('heads').hidden = now.way.length === 0;
  at('steps-none').hidden = now.way.length > 0;
  at('heads').replaceChildren(make('span'), ...now.graph.threads.map((_, index) => make('span', {}, thread(index))));
  // (What is there already stays: a long schedule is drawn step by step.)
  let same = 0;
  while (same < now.listed.length && now.listed[same] === now.way[same]) same++;
  while (steps.children.length > same) steps.lastElementChild.remove();
  now.listed = [...now.way];
  steps.append(...now.way.slice(same).map((choice, more) => {
    const { step } = choice;
    const index = same + more;
    const look = [sideClass(choice.thread), `at-${choice.thread + 2}`, step.stale ? 'older' : '', step.op === 'kill' ? 'kill-step' : ''].join(' ');
    const button = make('button', { type: 'button', class: look.trim() },
      make('span', { class: 'unseen' }, `${thread(choice.thread)}: `), row(step));
    button.addEventListener('click', () => { stop(); go(index + 1); });
    return make('li', {}, make('span', { class: 'number', 'aria-hidden': 'true' }, String(index + 1)), button);
  }));
  for (const old of steps.querySelectorAll('[data-at]')) {
    old.removeAttribute('data-at');
    old.lastElementChild.removeAttribute('aria-current');
  }
  [...steps.children].forEach((one, index) => one.classList.toggle('ahead', index >= now.done));
  const current = steps.children[now.done - 1];
  current?.setAttribute('data-at', '');
  current?.lastElementChild.setAttribute('aria-current', 'step');
  if (current) steps.scrollTop = Math.max(0, current.offsetTop - steps.offsetTop - steps.clientHeight + current.offsetHeight + 40);
}
// A step in one short line: `read written: 0`.
function row(step) {
  if (step.op === 'load') return word(step.stale ? 'row.old' : 'row.load', { place: place(step.place), value: valueAt(step.value, step.place) });
  if (step.op === 'kernel' && answer(step)) return word('row.answer', { do: plain(does(step)), answer: plain(word('answers.' + answer(step)) || answer(step)) });
  return word('row.' + step.op) || plain(does(step));
}

function drawExercises() {
  for (const anchor of at('exercises').querySelectorAll('a')) {
    const id = anchor.dataset.id;
    if (id === now.id) {
      anchor.setAttribute('aria-current', 'page');
      if (now.scrolledTo !== id) {
        // (Where the list is a strip. Nothing else is to move.)
        const [strip, { left, width }] = [at('exercises'), anchor.getBoundingClientRect()];
        strip.scrollLeft += left + width / 2 - strip.getBoundingClientRect().left - strip.clientWidth / 2;
        now.scrolledTo = id;
      }
    } else anchor.removeAttribute('aria-current');
    const mark = kept[id] === 'solved' ? '✓' : kept[id] === 'shown' ? '○' : '';
    anchor.replaceChildren(words.exercises[id].short);
    if (mark) anchor.append(make('span', { class: 'mark', 'aria-hidden': 'true' }, mark), make('span', { class: 'unseen' }, word('page.' + kept[id])));
  }
}

// --- Exercises and links -----------------------------------------------------------------------------------------

function listExercises() {
  now.ids = exercises.map(({ id }) => id);
  const group = (name, wanted) => make('span', { class: 'group', role: 'group', 'aria-label': word(name) }, make('span', { class: 'name', 'aria-hidden': 'true' }, word(name)),
    ...now.ids.filter((id) => isOurs(id) === wanted).map((id) => make('a', { href: '#' + id, 'data-id': id, title: words.exercises[id].title })));
  at('exercises').replaceChildren(group('page.theirs', false), group('page.ours', true));
}

const hash = () => {
  const name = scheduleName(now.way.slice(0, now.done));
  return '#' + now.id + (name && '/' + name);
};
function link() {
  const wanted = hash();
  // (Of many in a short time, as a held key makes them, a browser refuses some; a later one has it all.)
  try { if (location.hash !== wanted) history.replaceState(null, '', wanted); } catch { /* It is fine without. */ }
  at('other').href = word('page.other.file') + wanted;
  at('link-box').hidden = true;
  if (!now.given && now.done > 0) keepOwn(wanted);
}

async function open() {
  const address = location.hash;
  const [wanted, text = '', ...more] = decoded(location.hash.slice(1)).split('/');
  const id = now.ids.includes(wanted) ? wanted : now.ids[0];
  // Whoever comes back while another exercise is unpacked stays; whoever has gone on is not called back.
  const ticket = (now.ticket = {});
  if (id === now.id && address === hash()) return;
  stop();
  const file = exercises.find((one) => one.id === id).graph ?? id;
  if (!graphs.has(file)) graphs.set(file, await unpack(file));
  if (now.ticket !== ticket || location.hash !== address) return;
  const graph = graphs.get(file);
  const { way, whole } = schedule(graph, text);
  const isNew = id !== now.id;
  Object.assign(now, { id, graph, way, done: way.length, changed: null, paused: false, hope: null, hints: isNew ? 0 : now.hints });
  now.given = way.length > 0 && !isOwn(location.hash) ? 'linked' : null;
  now.notice = whole && more.length === 0 ? (way.length > 0 ? word('tells.linked', { count: number(way.length) }) : word('tells.start')) : word('tells.nonsense', { count: number(way.length) });
  if (wanted !== '' && wanted !== id) now.notice = word('tells.unknown');
  const { short: name, title, story, goal, model } = exercise();
  const ours = isOurs();
  at('title').replaceChildren(ours ? '' : make('span', { class: 'number' }, name + ' · '), title);
  fill(at('story'), story);
  at('goal').replaceChildren(make('b', {}, word(ours ? 'page.try' : 'page.goal')), ' ');
  at('goal').append(...make('span', { text: goal }).childNodes);
  at('proof').hidden = !ours;
  if (ours) {
    const { states, steps, failures, stuck, all } = survey(graph);
    const good = failures === 0 && stuck === 0 && all === states;
    fill(at('proof'), word(good ? 'page.proof' : 'page.noProof', { states: number(states), steps: number(steps) }) + word('tells.between') + model);
    at('proof').dataset.states = states;
  }
  document.title = `${name} · ${word('page.title')}`;
  draw();
}
function decoded(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

// Whether the page's address is good for this machine alone.
const isHere = () => location.protocol === 'file:' || /^(localhost|127\.0\.0\.1|\[::1\])$/.test(location.hostname);
async function copyLink() {
  try {
    await navigator.clipboard.writeText(location.href);
    at('said').textContent = word('tells.copied') + (isHere() ? word('tells.between') + word('tells.copiedHere') : '');
  } catch {
    at('link-text').value = location.href;
    at('link-box').hidden = false;
    at('link-text').focus();
    at('link-text').select();
    if (isHere()) at('said').textContent = word('tells.copiedHere');
  }
}

function download() {
  const { outcome } = state();
  const found = outcome ? outcomeWords(outcome) : null;
  const svg = picture(now.graph, now.way.slice(0, now.done), {
    title: plain(`${exercise().short}: ${exercise().title}`),
    legend: word('picture.legend'), legendOld: word('picture.legendOld'), legendHidden: word('picture.legendHidden'),
    thread, row, log: (what, index) => plain(logLine(what, index)),
    outcome: plain(found ? word('picture.said', found) : word('picture.none')), failed: Boolean(found),
  });
  const url = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
  make('a', { href: url, download: `${now.id}.svg` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
  at('said').textContent = word('tells.picture', { file: `${now.id}.svg` });
}

// --- Keys --------------------------------------------------------------------------------------------------------

const KEYS = {
  ArrowLeft: undo, u: undo, ArrowRight: redo, 0: restart, h: () => press('hint'), s: () => press('show'), t: () => press('random'),
  l: () => press('link'), p: () => press('picture'), '[': () => turn(-1), ']': () => turn(1),
  '?': () => { at('help').open = !at('help').open; at('help').querySelector('summary').focus(); },
};
// What a held key does again and again, beside the steps.
const REPEATED = ['ArrowLeft', 'u', 'ArrowRight'];
const press = (id) => { if (!at(id).hidden) at(id).click(); };
function turn(by) {
  const next = now.ids[now.ids.indexOf(now.id) + by];
  if (next) location.hash = next;
}
function onKey(event) {
  // (What AltGr gives is a character; some systems report it as Ctrl and Alt.)
  const modified = event.metaKey || ((event.ctrlKey || event.altKey) && !event.getModifierState?.('AltGraph'));
  if (modified || !at('keys-on').checked) return;
  if (event.target.matches?.('input[type="text"]')) return;
  const step = /^[1-9]$/.test(event.key) && at('stage').querySelector(`[data-key="${event.key}"]`);
  const act = step ? () => step.click() : KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  if (!event.repeat || step || REPEATED.includes(event.key)) act();
}

function begin() {
  at('main').hidden = at('skip').hidden = false;
  readKept();
  listExercises();
  at('reading').replaceChildren(...words.help.reading.map((text) => make('li', { text })));
  at('keys').replaceChildren(...words.help.keys.flatMap(([key, text]) => [make('dt', {}, ...key.split(' ').flatMap((one) => [make('kbd', {}, one), ' '])), make('dd', {}, text)]));
  // Nothing scrolls to below what is said, where that stands fast.
  new ResizeObserver(([{ target }]) => document.documentElement.style.setProperty('--said', `${target.offsetHeight}px`)).observe(at('said'));
  for (const [id, act] of Object.entries({ undo, redo, restart, hint, show, random, link: copyLink, picture: download })) at(id).addEventListener('click', act);
  at('skip').addEventListener('click', (event) => {
    event.preventDefault();
    (at('stage').querySelector('.step') ?? at('stage')).focus();
  });
  addEventListener('keydown', onKey);
  addEventListener('hashchange', open);
  addEventListener('storage', () => {
    readKept();
    if (now.id) drawExercises();
  });
  open();
}
begin();
