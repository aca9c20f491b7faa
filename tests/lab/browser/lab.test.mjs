// The lab's two pages in a real Chromium: run by tests/lab/browser/run.sh.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { LANGUAGES, Tab, launch, memoryOf, ours, outcomeOf, shortestFailure, theirs, unquoted, words, wrongIn } from './browser.mjs';

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

test('there are exercises of both kinds', () => {
  assert.ok(theirs.length >= 10 && ours.length >= 6, `${theirs.length} of the tutorial's, ${ours.length} of ours`);
});

for (const language of Object.keys(LANGUAGES)) {
  describe(language, () => {
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
      await tab.page.waitForFunction(() => document.querySelectorAll('#steps li:not(.ahead)').length === 1, { polling: 50 });
      await tab.click('#show');
      assert.equal(await tab.text('#show'), words[language].tools.show);
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
    }));

    test('a link leads to its schedule, in the other language, too', () => withTab({ language }, async (tab) => {
      for (const graph of theirs) {
        await tab.go(graph.id);
        for (const { edge } of shortestFailure(graph)) await tab.click(`#stage [data-edge="${edge}"]`);
        const hash = await tab.hash();
        assert.match(hash, new RegExp(`^${graph.id}/[a-z0-9.*-]+$`), 'a link can be read');
        const there = await Tab.open(browser, { language });
        await there.go(hash);
        await assertFailed(there, graph, shortestFailure(graph).at(-1).target);
        await there.close();
        await tab.page.click('#other');
        await tab.page.waitForSelector('#stage .side');
        assert.equal(await tab.hash(), hash);
        const other = Object.keys(LANGUAGES).find((one) => one !== language);
        assert.equal(await tab.page.$eval('html', (html) => html.lang), other);
        await assertFailed(Object.assign(tab, { language: other }), graph, shortestFailure(graph).at(-1).target);
        await tab.page.click('#other');
        await tab.page.waitForSelector('#stage .side');
        Object.assign(tab, { language });
      }
    }));

    test('a link that is nonsense does no harm', () => withTab({ language }, async (tab) => {
      for (const hash of ['nothing', 'd2/', 'd2/zz', 'd2/w9999', 'd2/w.old*9999', 'd2/%', 'd2/w/w/w', '%E0%A4%A', '/', 'd2/<b>', 'd2/w-', 'constructor', 'd2/w2-r.old.old-r', `d2/${'w-'.repeat(5000)}`]) {
        await tab.go('d4');
        await tab.page.evaluate((to) => { location.hash = to; }, hash);
        await tab.page.waitForFunction(() => document.querySelector('nav [aria-current]').dataset.id !== 'd4', { polling: 50 });
        assert.notEqual(await tab.text('#said'), '');
        assert.equal(await tab.page.evaluate(() => document.querySelectorAll('#stage .side').length > 1), true, hash);
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
            return { steps: parsed.querySelectorAll('.op, .old, .bad').length, hidden: parsed.querySelectorAll('.hidden').length };
          }, svg);
          assert.equal(rows?.steps, (shortestFailure(graph) ?? []).length, graph.id);
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

    for (const scheme of ['light', 'dark']) {
      for (const width of [1280, 360]) {
        test(`${scheme}, ${width} px: nothing sticks out, and axe finds nothing`, () => withTab({ language, scheme, width, height: width === 360 ? 740 : 800, reducedMotion: true }, async (tab) => {
          const look = async (what) => {
            const [whole, seen] = await tab.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
            assert.ok(whole <= seen, `${what}: ${whole} px in ${seen}`);
            const { violations } = await tab.page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
            assert.deepEqual(violations.map(({ id, nodes }) => `${what}: ${id}: ${nodes.map(({ html }) => html).join(' ')}`), []);
          };
          await tab.go('');
          await tab.page.evaluate(axe);
          await tab.click('#help summary');
          for (const graph of [...theirs, ...ours]) {
            await tab.go(graph.id);
            await look(`${graph.id}, start`);
            const way = shortestFailure(graph);
            if (way) {
              for (const { edge } of way) await tab.click(`#stage [data-edge="${edge}"]`);
              await tab.click('#hint');
              await look(`${graph.id}, failure`);
            } else {
              await tab.click('#random');
              await look(`${graph.id}, at random`);
            }
          }
          assert.equal(await tab.page.evaluate(() => getComputedStyle(document.body).colorScheme || getComputedStyle(document.documentElement).colorScheme), 'light dark');
        }));
      }
    }
  });
}

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
