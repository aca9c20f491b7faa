// The lab's two pages in a real Chromium: run by tests/lab/browser/run.sh.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { LANGUAGES, Tab, edgesOf, isOver, launch, memoryOf, nowIn, ours, outcomeOf, seenIn, shortestFailure, theirs, unquoted, wayTo, words, wrongIn } from './browser.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

// A tab for one test, which must neither complain nor ask for anything but the page itself.
async function withTab(options, body) {
  const tab = await Tab.open(browser, options);
  try {
    await body(tab);
    assert.deepEqual(tab.complaints, []);
    const foreign = tab.requests.filter((url) => !url.startsWith(options.origin ?? 'file://') && !url.startsWith('data:') && !url.startsWith('blob:'));
    assert.deepEqual(foreign, [], 'the page asks for nothing but itself');
  } catch (error) {
    if (tab.complaints.length > 0) error.message += `\nthe page: ${tab.complaints.join('\n')}`;
    throw error;
  } finally {
    await tab.close();
  }
}

// Whether a failure is shown as what it is.
async function assertFailed(tab, graph, state) {
  const outcome = graph.outcomes[outcomeOf(graph, state)];
  assert.equal(await tab.text('#verdict-title'), words[tab.language].outcomes[outcome], `${graph.id}: ${outcome}`);
  assert.ok(await tab.isShown('#verdict'));
  const told = words[tab.language].exercises[graph.id].outcomes;
  assert.equal(await tab.text('#verdict-text'), (told[outcome] ?? told.any ?? '').replaceAll('`', ''));
  assert.notEqual(await tab.text('#verdict-text'), '', `${graph.id}: ${outcome} is explained`);
}

// Whether there are no letters for the language here. (Without fc-list nobody knows.)
const lacksFont = (language) => {
  const { status, stdout } = spawnSync('fc-list', [`:lang=${language.split('-')[0]}`], { encoding: 'utf8' });
  return language !== 'en' && status === 0 && stdout.trim() === '';
};

const find = (wanted) => [...theirs, ...ours].find(({ id }) => id === wanted);
async function takeAll(tab, way) {
  for (const { edge } of way) await tab.click(`#stage [data-edge="${edge}"]`);
}
// A text of the page's as it stands there, with what it is filled with.
const filled = (text, fill) => text.replace(/\{(\w+) (\w+)\/(\w+)\}/g, (_, key, one, many) => `${fill[key]} ${fill[key] === 1 ? one : many}`)
  .replace(/\{(\w+)\}/g, (_, key) => fill[key]).replaceAll('`', '');

test('there are exercises of both kinds', () => {
  assert.ok(theirs.length >= 10 && ours.length >= 6, `${theirs.length} of the tutorial's, ${ours.length} of ours`);
});

// (A browser has a process for each tab: two at once.)
for (const language of Object.keys(LANGUAGES)) {
  describe(language, { concurrency: 2 }, () => {
    for (const graph of theirs) {
      test(`${graph.id} is solved by clicks`, () => withTab({ language }, async (tab) => {
        await tab.go(graph.id);
        for (const { edge, target } of shortestFailure(graph)) {
          assert.ok(!(await tab.isShown('#verdict')), 'nothing has gone wrong yet');
          await tab.page.click(`#stage [data-edge="${edge}"]`);
          assert.deepEqual(unquoted(await tab.memory()), memoryOf(graph, target));
          assert.notEqual(await tab.text('#said'), '');
        }
        await assertFailed(tab, graph, shortestFailure(graph).at(-1).target);
        assert.match(await tab.text(`nav [data-id="${graph.id}"]`), /✓/);
        await tab.page.reload();
        await tab.go('');
        assert.match(await tab.text(`nav [data-id="${graph.id}"]`), /✓/, 'what was solved stays solved');
      }));

      test(`${graph.id} is solved by the keyboard alone`, () => withTab({ language }, async (tab) => {
        await tab.go('');
        await tab.tabTo(`nav [data-id="${graph.id}"]`);
        await tab.page.keyboard.press('Enter');
        await tab.page.waitForSelector(`nav [data-id="${graph.id}"][aria-current]`);
        let number = 0;
        for (const { edge, target } of shortestFailure(graph)) {
          const button = `#stage [data-edge="${edge}"]`;
          if (number++ % 2 === 0) {
            await tab.tabTo(button);
            await tab.page.keyboard.press('Enter');
          } else await tab.page.keyboard.press(await tab.page.$eval(button, (element) => element.dataset.key));
          assert.deepEqual(unquoted(await tab.memory()), memoryOf(graph, target));
        }
        await assertFailed(tab, graph, shortestFailure(graph).at(-1).target);
      }));

      test(`${graph.id} shows a shortest failure by itself, step by step`, () => withTab({ language, reducedMotion: true }, async (tab) => {
        await tab.go(graph.id);
        const { hints } = words[language].exercises[graph.id];
        assert.equal(hints.length, 2);
        for (let given = 1; given <= 2; given++) {
          assert.ok(!(await tab.isShown('#show')), 'hints come first');
          await tab.page.click('#hint');
          assert.equal((await tab.page.$$('#hints p')).length >= given, true);
        }
        await tab.page.click('#show');
        const way = shortestFailure(graph);
        assert.equal((await tab.page.$$('#steps li')).length, way.length, 'no failure is shorter');
        assert.ok(!(await tab.isShown('#verdict')));
        for (const _ of way) await tab.page.keyboard.press('ArrowRight');
        assert.ok(await tab.isShown('#verdict'));
        assert.match(await tab.text(`nav [data-id="${graph.id}"]`), /○/, 'what was shown is not solved');
      }));
    }

    test('a shortest failure plays by itself, and pauses', () => withTab({ language }, async (tab) => {
      await tab.go('d2');
      await tab.click('#hint');
      await tab.click('#hint');
      await tab.click('#show');
      assert.equal(await tab.text('#show'), words[language].tools.pause);
      await tab.page.waitForFunction(() => document.querySelectorAll('#steps li:not(.ahead)').length >= 1, { polling: 50 });
      // (At once, so that no step comes in between.)
      const [paused, resumed] = await tab.page.evaluate(() => [0, 1].map(() => {
        document.getElementById('show').click();
        return [document.getElementById('show').textContent, document.querySelectorAll('#steps li:not(.ahead)').length];
      }));
      assert.ok(paused[1] >= 1);
      assert.deepEqual([paused[0], resumed], [words[language].tools.playOn, [words[language].tools.pause, paused[1]]], 'it goes on where it stood');
      await tab.page.waitForFunction((taken) => document.querySelectorAll('#steps li:not(.ahead)').length > taken, { polling: 50 }, paused[1]);
      await tab.go('d9');
      await tab.click('#hint');
      await tab.click('#hint');
      await tab.click('#show');
      await tab.page.waitForSelector('#verdict:not([hidden])');
      assert.equal(await tab.text('#show'), words[language].tools.show);
    }));

    // (What walks is the same in each language: it walks far in one of them.)
    const steps = language === 'en' ? 1000 : 100;
    for (const graph of ours) {
      test(`${graph.id}: ${steps} steps at random, and none goes wrong`, () => withTab({ language }, async (tab) => {
        assert.equal(wrongIn(graph), null);
        await tab.go(graph.id);
        assert.equal(await tab.page.$eval('#proof', (element) => element.dataset.states), String(graph.states.length));
        const count = graph.states.length.toLocaleString(language);
        assert.ok((await tab.text('#proof')).startsWith(words[language].page.proof.replace('{states}', count)), await tab.text('#proof'));
        await tab.page.click('#random');
        const said = words[language].tells.random.split('}').at(-1);
        assert.ok((await tab.text('#said')).includes(said), await tab.text('#said'));
        const failed = await tab.page.evaluate((steps) => {
          document.getElementById('restart').click();
          for (let taken = 0; taken < steps;) {
            const open = document.querySelectorAll('#stage [data-edge]');
            if (open.length === 0) document.getElementById('restart').click();
            else {
              open[Math.floor(Math.random() * open.length)].click();
              taken++;
            }
            const verdict = document.getElementById('verdict');
            if (!verdict.hidden && !verdict.classList.contains('calm')) return location.hash;
          }
          return null;
        }, steps);
        assert.equal(failed, null);
      }));
    }

    test('undo, redo, start again, and back by the list', () => withTab({ language }, async (tab) => {
      const graph = theirs.find(({ id }) => id === 'd2');
      const way = shortestFailure(graph);
      await tab.go(graph.id);
      for (const { edge } of way) await tab.click(`#stage [data-edge="${edge}"]`);
      const solved = await tab.hash();
      await tab.page.click('#undo');
      assert.ok(!(await tab.isShown('#verdict')));
      assert.deepEqual(unquoted(await tab.memory()), memoryOf(graph, way.at(-2).target));
      await tab.page.click('#redo');
      assert.equal(await tab.hash(), solved);
      await tab.page.click('#steps li:nth-child(2) button');
      assert.deepEqual(unquoted(await tab.memory()), memoryOf(graph, way[1].target));
      assert.equal((await tab.page.$$('#steps li.ahead')).length, way.length - 2, 'the rest can be taken again');
      for (let step = 2; step < way.length; step++) await tab.page.keyboard.press('ArrowRight');
      assert.equal(await tab.hash(), solved);
      await tab.page.click('#restart');
      assert.equal(await tab.hash(), graph.id);
      assert.deepEqual(unquoted(await tab.memory()), memoryOf(graph, graph.start));
      for (const _ of way) await tab.click('#redo');
      assert.equal(await tab.hash(), solved, 'what was started again can be taken again');
      for (const button of ['redo', 'restart', 'undo']) {
        await tab.page.focus(`#${button}`);
        await tab.page.keyboard.press('Enter');
        assert.equal(await tab.page.evaluate(() => document.activeElement.id), button, 'a button that can do no more keeps the focus');
      }
    }));

    test('a failure that a link or the page brought about is not solved', () => withTab({ language, reducedMotion: true }, async (tab) => {
      const graph = find('d2');
      const way = shortestFailure(graph);
      const isSolved = async () => /✓/.test(await tab.text('nav [data-id="d2"]'));
      const said = async (what) => assert.ok((await tab.text('#verdict-more')).startsWith(filled(words[language].verdict[what], { steps: way.length })), await tab.text('#verdict-more'));
      await tab.go('d2');
      await takeAll(tab, way.slice(0, 2));
      await tab.page.reload();
      await tab.page.waitForSelector('#stage .side');
      await takeAll(tab, way.slice(2));
      assert.ok(await isSolved(), 'what was begun before the page was loaded again counts');
      await said('solved');
      const hash = await tab.hash();
      await tab.page.evaluate(() => { localStorage.clear(); sessionStorage.clear(); });
      await tab.page.reload();
      await tab.page.waitForSelector('#stage .side');
      await said('shown');
      await tab.click('#undo');
      await tab.click('#redo');
      assert.equal(await tab.hash(), hash);
      assert.ok(!(await isSolved()));
      await tab.go('d4');
      await tab.go('d2');
      for (const button of ['hint', 'hint', 'show', 'redo', 'restart']) await tab.click(`#${button}`);
      await takeAll(tab, way.slice(0, -1));
      for (const _ of way) await tab.click('#redo');
      assert.ok(await tab.isShown('#verdict'));
      assert.ok(!(await isSolved()));
      await said('shown');
      await tab.go('d4');
      await tab.go('d2');
      await takeAll(tab, way);
      assert.ok(await isSolved());
    }));

    test('from where a link leads the exercise is solved by one\'s own steps', () => withTab({ language }, async (tab) => {
      const way = shortestFailure(find('d2'));
      const isSolved = async () => /✓/.test(await tab.text('nav [data-id="d2"]'));
      const said = async (what) => assert.ok((await tab.text('#verdict-more')).startsWith(filled(words[language].verdict[what], { steps: way.length })), await tab.text('#verdict-more'));
      await tab.go('d2');
      await takeAll(tab, way.slice(0, 2));
      const begun = await tab.hash();
      await takeAll(tab, way.slice(2));
      const finished = await tab.hash();
      const comeTo = async (hash) => {
        await tab.page.evaluate(() => { localStorage.clear(); sessionStorage.clear(); });
        await tab.page.goto('about:blank');
        await tab.go(hash);
        assert.ok(!(await isSolved()));
      };
      await comeTo(begun);
      await takeAll(tab, way.slice(2));
      assert.ok(await isSolved(), 'what goes on from a link counts');
      await said('solved');
      await comeTo(finished);
      await said('shown');
      await tab.click('#undo');
      await takeAll(tab, way.slice(-1));
      await said('shown');
      await tab.click('#restart');
      await takeAll(tab, way);
      assert.equal(await tab.hash(), finished);
      assert.ok(!(await isSolved()), 'the link\'s own steps do not count');
      await said('shown');
    }));

    // (How large letters are depends on the fonts that are there.)
    const margin = 10;
    for (const [width, height] of [[360, 740], [1366, 657]]) {
      test(`${width} x ${height}: the steps and the exercise's name are in sight`, (t) => (lacksFont(language) ? t.skip('no font here has Chinese') : withTab({ language, width, height }, async (tab) => {
        for (const { id } of [...theirs, ...ours]) {
          await tab.go(id);
          const [steps, said, whole, list, name] = await tab.page.evaluate(() => {
            const box = (one) => one.getBoundingClientRect();
            const [list, name] = ['nav', 'nav [aria-current]'].map((what) => box(document.querySelector(what))).map(({ left, right }) => [left, right]);
            return [Math.max(...[...document.querySelectorAll('#stage [data-edge]')].map((one) => box(one).bottom)), box(document.getElementById('said')).top, document.documentElement.scrollWidth, list, name];
          });
          assert.ok(steps <= Math.min(said, height) + margin, `${id}: the steps end at ${steps}, what is said begins at ${said}`);
          assert.ok(whole <= width, `${id}: ${whole} px`);
          assert.ok(list[0] - 1 < name[0] && name[1] < list[1] + 1, `${id}: ${name} in ${list}`);
        }
      })));
    }

    test('on a phone a verdict is in sight', () => withTab({ language, width: 360, height: 740 }, async (tab) => {
      await tab.go('d4');
      const way = shortestFailure(find('d4'));
      await takeAll(tab, way.slice(0, -1));
      await tab.page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
      await takeAll(tab, way.slice(-1));
      // (What is said stands fast at the bottom of the window. A window scrolls by whole pixels.)
      const [{ top, bottom }, said] = await tab.page.evaluate(() => ['verdict', 'said'].map((id) => document.getElementById(id).getBoundingClientRect().toJSON()));
      assert.ok(top > -1 && bottom < Math.min(740, said.top) + 1, `from ${top} to ${bottom}, and what is said from ${said.top}`);
      // Nor does anything that is scrolled to come to lie below it.
      await tab.page.evaluate(() => { document.getElementById('said').textContent = 'many words '.repeat(40); });
      await tab.page.waitForFunction(() => getComputedStyle(document.documentElement).scrollPaddingBottom === `${document.getElementById('said').offsetHeight}px`, { polling: 50, timeout: 5000 });
    }));

    test('what is read comes in the order in which it is seen', () => withTab({ language, width: 360, height: 740 }, async (tab) => {
      await tab.go(ours[0].id);
      const tops = await tab.page.$$eval('#title, #story, #goal, .board, #proof, #help', (all) => all.map((one) => [one.id, Math.round(one.getBoundingClientRect().top)]));
      assert.deepEqual(tops, [...tops].sort(([, a], [, b]) => a - b));
      assert.equal(tops.length, 6);
    }));

    test('the links in the page\'s own words lead somewhere', () => withTab({ language }, async (tab) => {
      const links = JSON.stringify(words[language]).match(/#[a-z0-9-]+\/[a-z0-9.*-]+/g);
      assert.ok(links.length > 0);
      for (const link of links) {
        await tab.go('d4');
        await tab.go(link.slice(1));
        const count = (await tab.page.$$('#steps li')).length;
        assert.ok((await tab.text('#said')).startsWith(filled(words[language].tells.linked, { count })), await tab.text('#said'));
        assert.equal('#' + await tab.hash(), link);
      }
    }));

    test('what is said where the failure can not come about', () => withTab({ language }, async (tab) => {
      const hints = async () => (await tab.text('#hints')).includes(words[language].tells.hopeless);
      const mixed = find('d5-mixed');
      await tab.go(mixed.id);
      await tab.click('#hint');
      await takeAll(tab, wayTo(mixed, (here) => mixed.outcomes[outcomeOf(mixed, here)] === 'lost'));
      assert.ok(await tab.isShown('#verdict'));
      assert.ok(!(await hints()), 'a failure is not said to be none');
      const start = find('d4');
      await tab.go(start.id);
      await tab.click('#hint');
      assert.ok(!(await hints()));
      await takeAll(tab, wayTo(start, (here) => isOver(start, here) && outcomeOf(start, here) < 0));
      assert.ok(await hints());
    }));

    test('a line for a dead reader is not called harmless', () => withTab({ language }, async (tab) => {
      const graph = find('d9');
      const calm = (here) => edgesOf(graph, here).length === 0 && outcomeOf(graph, here) < 0;
      const isDead = (here) => graph.states[here][4].includes(3);
      for (const [killed, [title, text]] of [
        [true, [words[language].exercises.d9.calmTitle, words[language].exercises.d9.calm]],
        [false, [words[language].verdict.calm, words[language].verdict.calmText]],
      ]) {
        await tab.go('d4');
        await tab.go('d9');
        await takeAll(tab, wayTo(graph, (here) => calm(here) && isDead(here) === killed));
        assert.deepEqual([await tab.text('#verdict-title'), await tab.text('#verdict-text')], [title, text]);
      }
    }));

    test('an older store of the same value is told apart', () => withTab({ language }, async (tab) => {
      const graph = find('d5-readers');
      const same = (here) => edgesOf(graph, here).findIndex(([, step]) => graph.steps[step].stale && graph.steps[step].value === nowIn(graph, here)[graph.steps[step].place]);
      const way = wayTo(graph, (here) => same(here) >= 0);
      const at = way.at(-1).target;
      const value = graph.values[graph.steps[edgesOf(graph, at)[same(at)][1]].value];
      await tab.go(graph.id);
      await takeAll(tab, way);
      assert.ok((await tab.text(`#stage [data-edge="${same(at)}"]`)).includes(filled(words[language].sees.same, { value: /^\d+$/.test(value) ? value : `"${value}"` })));
      const frames = await tab.page.$$eval('.memory .word .old', (marks) => marks.map((mark) => [mark.closest('.word').querySelector('.value').textContent, ...[...mark.querySelectorAll('code')].map((one) => one.textContent)]));
      for (const [newest, ...older] of frames) assert.ok(older.length > 0 && !older.includes(newest), `${older} of ${newest}`);
    }));

    test('a link leads to its schedule, in the other language, too', () => withTab({ language }, async (tab) => {
      const other = Object.keys(LANGUAGES).find((one) => one !== language);
      const there = [await Tab.open(browser, { language }), await Tab.open(browser, { language: other })];
      for (const graph of theirs) {
        await tab.go(graph.id);
        const way = shortestFailure(graph);
        await takeAll(tab, way);
        const hash = await tab.hash();
        assert.match(hash, new RegExp(`^${graph.id}/[a-z0-9.*-]+$`), 'a link can be read');
        assert.equal(await tab.page.$eval('#other', (one) => one.getAttribute('href')), `${LANGUAGES[other]}#${hash}`);
        for (const one of there) {
          await one.go(hash);
          await assertFailed(one, graph, way.at(-1).target);
        }
      }
      const hash = await tab.hash();
      await tab.page.click('#other');
      await tab.page.waitForSelector('#stage .side');
      assert.equal(await tab.hash(), hash);
      assert.equal(await tab.page.$eval('html', (html) => html.lang), other);
      await assertFailed(Object.assign(tab, { language: other }), theirs.at(-1), shortestFailure(theirs.at(-1)).at(-1).target);
      for (const one of there) await one.close();
    }));

    test('a link that is nonsense does no harm', () => withTab({ language }, async (tab) => {
      await tab.go('d2/r9999');
      assert.equal((await tab.page.$$('#steps li')).length, 500, 'no link has more steps');
      for (const hash of ['nothing', 'd2/', 'd2/zz', 'd2/w9999', 'd2/w.old*9999', 'd2/%', 'd2/w/w/w', '%E0%A4%A', '/', 'd2/<b>', 'd2/w-', 'constructor', 'd2/w2-r.old.old-r', `d2/${'w-'.repeat(5000)}`]) {
        await tab.go('d4');
        await tab.page.evaluate((to) => { location.hash = to; }, hash);
        await tab.page.waitForFunction(() => document.querySelector('nav [aria-current]').dataset.id !== 'd4', { polling: 50 });
        assert.notEqual(await tab.text('#said'), '');
        assert.equal(await tab.page.evaluate(() => document.querySelectorAll('#stage .side').length > 1), true, hash);
        if (hash === 'd2/w/w/w') assert.equal(await tab.text('#said'), filled(words[language].tells.nonsense, { count: 1 }));
      }
    }));

    test('a picture of the schedule', () => withTab({ language }, async (tab) => {
      const folder = mkdtempSync(path.join(tmpdir(), 'lab-'));
      try {
        // (Parsed elsewhere: the page's policy is for its own style alone.)
        const elsewhere = await tab.context.newPage();
        await tab.page.bringToFront();
        const session = await tab.page.createCDPSession();
        await session.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: folder, browserContextId: tab.context.id, eventsEnabled: true });
        for (const graph of [...theirs, ours[0]]) {
          await tab.go(graph.id);
          for (const { edge } of shortestFailure(graph) ?? []) await tab.click(`#stage [data-edge="${edge}"]`);
          const done = new Promise((resolve) => session.on('Browser.downloadProgress', ({ state }) => state === 'completed' && resolve()));
          await tab.click('#picture');
          await done;
          const svg = readFileSync(path.join(folder, `${graph.id}.svg`), 'utf8');
          const rows = await elsewhere.evaluate((text) => {
            const parsed = new DOMParser().parseFromString(text, 'image/svg+xml');
            if (parsed.querySelector('parsererror')) return null;
            const numbers = [...parsed.querySelectorAll('text[x="12"]')].map((one) => one.textContent);
            return { steps: parsed.querySelectorAll('.op, .old, .bad').length, hidden: parsed.querySelectorAll('.hidden').length, numbers };
          }, svg);
          assert.equal(rows?.steps, (shortestFailure(graph) ?? []).length, graph.id);
          assert.deepEqual(rows.numbers, Array.from({ length: rows.steps }, (_, index) => String(index + 1)), 'the steps are numbered, and nothing else');
          if (graph.id === 'd2') assert.ok(rows.hidden > 0, 'the store that is not visible yet is marked');
        }
        assert.equal(readdirSync(folder).length, theirs.length + 1);
      } finally {
        rmSync(folder, { recursive: true });
      }
    }));

    test('without storage', () => withTab({ language, storage: false }, async (tab) => {
      await tab.go(theirs[0].id);
      for (const { edge } of shortestFailure(theirs[0])) await tab.click(`#stage [data-edge="${edge}"]`);
      assert.ok(await tab.isShown('#verdict'));
    }));

    test('a browser that refuses to change the address', () => withTab({ language }, async (tab) => {
      await tab.page.evaluateOnNewDocument(() => { history.replaceState = () => { throw new DOMException('too many', 'SecurityError'); }; });
      await tab.go('d2');
      for (const { edge } of shortestFailure(theirs.find(({ id }) => id === 'd2'))) await tab.click(`#stage [data-edge="${edge}"]`);
      assert.ok(await tab.isShown('#verdict'));
    }));

    test('who comes back while another exercise is unpacked stays', () => withTab({ language }, async (tab) => {
      await tab.go('d2');
      await tab.page.evaluate(() => new Promise((resolve) => {
        addEventListener('hashchange', () => {
          addEventListener('hashchange', () => setTimeout(resolve, 2000), { once: true });
          location.hash = 'd2';
        }, { once: true });
        location.hash = 'd10';
      }));
      assert.equal(await tab.page.$eval('nav [aria-current]', (element) => element.dataset.id), 'd2');
      assert.equal(await tab.hash(), 'd2');
    }));

    test('a held key acts once, but for steps', () => withTab({ language }, async (tab) => {
      await tab.go('d2');
      for (const _ of [1, 2]) await tab.page.keyboard.down('?');
      await tab.page.keyboard.up('?');
      assert.ok(await tab.page.$eval('#help', (element) => element.open));
      for (const _ of [1, 2]) await tab.page.keyboard.down('1');
      await tab.page.keyboard.up('1');
      assert.equal((await tab.page.$$('#steps li')).length, 2);
      for (const _ of [1, 2]) await tab.page.keyboard.down('ArrowLeft');
      await tab.page.keyboard.up('ArrowLeft');
      assert.equal((await tab.page.$$('#steps li.ahead')).length, 2);
    }));

    test('single keys can be switched off', () => withTab({ language }, async (tab) => {
      await tab.go('d2');
      await tab.click('#keys-on');
      await tab.page.keyboard.press('1');
      assert.equal(await tab.hash(), 'd2');
      await tab.click('#keys-on');
      await tab.page.keyboard.press('1');
      assert.notEqual(await tab.hash(), 'd2');
    }));
  });
}

// What is the same in each language.
describe('in one language', () => {
  test('a picture draws its line from the very store that a read missed', () => withTab({}, async (tab) => {
    // A way to a read of an old value that an older store wrote as well, with the store that the read misses.
    const doubtful = (graph) => {
      const came = new Map([[graph.start, []]]);
      for (const [here, way] of came) {
        for (const [edge, [thread, number, target]] of edgesOf(graph, here).entries()) {
          const step = graph.steps[number];
          const longer = [...way, { edge, step, target }];
          if (step.stale) {
            const made = longer.flatMap(({ step: { op, place, value } }, row) => (op === 'store' && place === step.place ? [{ row, value }] : []));
            const [before, after] = [here, target].map((state) => seenIn(graph, state)[thread][step.place]);
            const missed = made.at(1 - after.length)?.row;
            const byValue = made[made.findLastIndex(({ value }) => value === step.value) + 1]?.row;
            if (after.length > 1 && after[0] === step.value && String(before.slice(-after.length)) === String(after) && missed !== byValue) return { way: longer, missed };
          }
          if (!came.has(target)) came.set(target, longer);
        }
      }
      return null;
    };
    let looked = 0;
    await tab.page.evaluateOnNewDocument(() => { URL.createObjectURL = (blob) => { blob.text().then((text) => { globalThis.saved = text; }); return 'blob:none'; }; HTMLAnchorElement.prototype.click = () => {}; });
    for (const graph of [...theirs, ...ours]) {
      const found = doubtful(graph);
      if (!found) continue;
      await tab.go(graph.id);
      await takeAll(tab, found.way);
      await tab.page.evaluate(() => { globalThis.saved = undefined; });
      await tab.click('#picture');
      await tab.page.waitForFunction(() => globalThis.saved, { polling: 20 });
      const svg = await tab.page.evaluate(() => globalThis.saved);
      const heights = Object.fromEntries([...svg.matchAll(/x="12" y="(\d+)">(\d+)</g)].map(([, y, step]) => [step, Number(y) - 6]));
      const lines = [...svg.matchAll(/class="hidden" d="M\d+ (\d+)L\d+ (\d+)"/g)].map(([, from, to]) => `${from} ${to}`);
      assert.ok(lines.includes(`${heights[found.missed + 1]} ${heights[found.way.length]}`), `${graph.id}: step ${found.missed + 1} in ${lines}`);
      looked++;
    }
    assert.ok(looked > 0);
  }));

  test('two tabs keep what each of them solved', () => withTab({}, async (tab) => {
    const page = await tab.context.newPage();
    const other = Object.assign(new Tab(), { ...tab, page });
    await tab.go('d4');
    await other.go('d9');
    await takeAll(tab, shortestFailure(find('d4')));
    await page.waitForFunction(() => /✓/.test(document.querySelector('nav [data-id="d4"]').textContent), { polling: 50, timeout: 10_000 });
    await takeAll(other, shortestFailure(find('d9')));
    await tab.page.reload();
    await tab.go('');
    for (const id of ['d4', 'd9']) assert.match(await tab.text(`nav [data-id="${id}"]`), /✓/);
  }));

  test('whatever lies in the storage', () => withTab({}, async (tab) => {
    await tab.go('d4');
    for (const there of ['5', '"x"', '[1]', 'null', '{', '{"d4":7,"__proto__":"solved"}']) {
      await tab.page.evaluate((text) => localStorage.setItem('shm-handoff-lab', text), there);
      await tab.page.reload();
      await tab.go('d4');
      assert.ok(!/[✓○]/.test(await tab.text('nav')), there);
      await takeAll(tab, shortestFailure(find('d4')));
      assert.match(await tab.text('nav [data-id="d4"]'), /✓/, there);
      await tab.go('d9');
    }
  }));

  test('numbers of keys are for those who have keys', () => withTab({}, async (tab) => {
    const numbers = ['.step kbd', '.kill kbd'];
    await tab.go('d9');
    for (const what of numbers) assert.ok(await tab.isShown(what), what);
    // (As on a tablet, whatever it calls itself.)
    await tab.page.setViewport({ width: 820, height: 1180, hasTouch: true });
    assert.ok(await tab.page.evaluate(() => matchMedia('(hover: none) and (pointer: coarse)').matches));
    for (const what of numbers) assert.ok(!(await tab.isShown(what)), what);
    await tab.page.setViewport({ width: 820, height: 1180 });
    for (const what of numbers) assert.ok(await tab.isShown(what), what);
  }));

  test('a key that needs AltGr', () => withTab({}, async (tab) => {
    await tab.go('d2');
    const press = (options) => tab.page.evaluate((how) => { document.body.dispatchEvent(new KeyboardEvent('keydown', { key: ']', bubbles: true, cancelable: true, ...how })); }, options);
    await press({ ctrlKey: true, altKey: true });
    assert.equal(await tab.hash(), 'd2');
    await press({ ctrlKey: true, altKey: true, modifierAltGraph: true });
    await tab.page.waitForSelector('nav [data-id="d3"][aria-current]');
  }));

  test('a link to a file is said to be good for this machine', () => withTab({}, async (tab) => {
    await tab.go('d2');
    await tab.click('#link');
    await tab.page.waitForFunction((text) => document.getElementById('said').textContent.includes(text), { polling: 50, timeout: 5000 }, words.en.tells.copiedHere);
  }));

  test('letters grow with the reader\'s own size', () => withTab({}, async (tab) => {
    await tab.go('d2');
    const session = await tab.page.createCDPSession();
    const size = () => tab.page.evaluate(() => parseFloat(getComputedStyle(document.documentElement).fontSize));
    assert.equal(await size(), 17);
    await session.send('Page.enable');
    await session.send('Page.setFontSizes', { fontSizes: { standard: 20 } });
    assert.equal(await size(), 21.25);
  }));

  test('without JavaScript there are no dead buttons', () => withTab({}, async (tab) => {
    await tab.page.setJavaScriptEnabled(false);
    await tab.page.goto(tab.address);
    for (const what of ['.tools', '#stage', '#help', '#skip']) assert.ok(!(await tab.isShown(what)), what);
    assert.ok(await tab.isShown('noscript'));
  }));
});

describe('looked at', { concurrency: 2 }, () => {
  for (const language of Object.keys(LANGUAGES)) {
    for (const scheme of ['light', 'dark']) {
      for (const width of [1280, 360]) {
        test(`${language}, ${scheme}, ${width} px: nothing sticks out, and axe finds nothing`, () => withTab({ language, scheme, width, height: width === 360 ? 740 : 800, reducedMotion: true }, async (tab) => {
          const look = async (what, closely) => {
            const [whole, seen] = await tab.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
            assert.ok(whole <= seen, `${what}: ${whole} px in ${seen}`);
            if (!closely) return;
            const { violations } = await tab.page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
            assert.deepEqual(violations.map(({ id, nodes }) => `${what}: ${id}: ${nodes.map(({ html }) => html).join(' ')}`), []);
          };
          await tab.go('');
          await tab.page.evaluate(axe);
          await tab.click('#help summary');
          // (axe takes long: here it looks at the start of every second exercise, and at the end of the others; with the
          // other scheme, or the other width, the other way round.)
          const first = [language === 'en', scheme === 'light', width === 360].filter(Boolean).length;
          for (const [number, graph] of [...theirs, ...ours].entries()) {
            const start = (number + first) % 2 === 0;
            await tab.go(graph.id);
            await look(`${graph.id}, start`, start);
            const way = shortestFailure(graph);
            if (way) {
              for (const { edge } of way) await tab.click(`#stage [data-edge="${edge}"]`);
              await tab.click('#hint');
              await look(`${graph.id}, failure`, !start);
            } else {
              await tab.click('#random');
              await look(`${graph.id}, at random`, !start);
            }
          }
          assert.equal(await tab.page.evaluate(() => getComputedStyle(document.body).colorScheme || getComputedStyle(document.documentElement).colorScheme), 'light dark');
        }));
      }
    }
  }
});

describe('from shm-handoff lab', () => {
  let server, origin;
  before(async () => {
    server = spawn(process.env.SHM_HANDOFF, ['lab', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
    // Tests that are stopped leave no server behind.
    for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM']) {
      process.once(signal, () => {
        server.kill('SIGINT');
        process.exit(1);
      });
    }
    origin = await new Promise((resolve, reject) => {
      server.on('error', reject);
      server.stdout.once('data', (data) => resolve(String(data).trim()));
    });
  });
  after(() => server?.kill('SIGINT'));

  for (const [language, file] of Object.entries(LANGUAGES)) {
    test(`${language}: every exercise opens, and one is solved`, () => withTab({ language, address: origin + file, origin }, async (tab) => {
      for (const graph of [...theirs, ...ours]) await tab.go(graph.id);
      const graph = theirs[0];
      await tab.go(graph.id);
      for (const { edge } of shortestFailure(graph)) await tab.click(`#stage [data-edge="${edge}"]`);
      await assertFailed(tab, graph, shortestFailure(graph).at(-1).target);
    }));
  }
});
