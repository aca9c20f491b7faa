// A real Chromium, and what the tests ask of it. Nothing of the page's own script is used here: the graphs are read
// from docs/lab/graphs, and ways through them are found by this file.

import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import path from 'node:path';
import puppeteer from 'puppeteer-core';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const lab = path.join(root, 'docs/lab');
const graphFolder = process.env.LAB_GRAPHS ?? path.join(lab, 'graphs');

export const LANGUAGES = { en: 'index.html', 'zh-CN': 'index.zh-CN.html' };
export const words = Object.fromEntries(
  Object.keys(LANGUAGES).map((language) => [language, JSON.parse(readFileSync(path.join(lab, `page/words.${language}.json`), 'utf8'))]));

// Each exercise, with the graph that it walks. Those of the tutorial's have outcomes that are wanted.
const exercises = JSON.parse(readFileSync(path.join(lab, 'page/exercises.json'), 'utf8')).map(({ id, graph, wanted }) => ({
  ...JSON.parse(readFileSync(path.join(graphFolder, `${graph ?? id}.json`), 'utf8')), id, wanted,
}));
export const theirs = exercises.filter(({ wanted }) => wanted);
export const ours = exercises.filter(({ wanted }) => !wanted);

export const fileAddress = (language) => pathToFileURL(path.join(lab, LANGUAGES[language])).href;

// The edges of a state are [thread, step, target].
export const edgesOf = (graph, state) => graph.states[state][5];
export const outcomeOf = (graph, state) => graph.states[state][3];
export const isOver = (graph, state) => graph.states[state][4].every((status) => status >= 2);

// A shortest way to a failure that is wanted.
export const shortestFailure = (graph) => wayTo(graph, (here) => graph.wanted?.includes(graph.outcomes[outcomeOf(graph, here)]));

// A shortest way to a state that `isThere` is true of: for each step the number of the edge, and where it leads.
export function wayTo(graph, isThere) {
  const came = new Map([[graph.start, null]]);
  for (const here of came.keys()) {
    if (isThere(here)) {
      const way = [];
      for (let at = here; came.get(at); at = came.get(at).from) way.unshift({ edge: came.get(at).edge, target: at });
      return way;
    }
    edgesOf(graph, here).forEach(([, , target], edge) => came.has(target) || came.set(target, { from: here, edge }));
  }
  return null;
}

// Whether each state is reached, none is a failure, and each leads to an end: what the page claims of ours.
export function wrongIn(graph) {
  const reached = new Set([graph.start]);
  const into = graph.states.map(() => []);
  for (const here of reached) {
    for (const [, step, target] of edgesOf(graph, here)) {
      if (!graph.steps[step] || !graph.states[target]) return `state ${here}: an edge leads nowhere`;
      into[target].push(here);
      reached.add(target);
    }
  }
  if (reached.size !== graph.states.length) return `${graph.states.length - reached.size} states are not reached`;
  const failed = [...reached].find((here) => outcomeOf(graph, here) >= 0);
  if (failed !== undefined) return `state ${failed} is a failure`;
  const ends = new Set([...reached].filter((here) => isOver(graph, here)));
  for (const here of ends) for (const one of into[here]) ends.add(one);
  const stuck = [...reached].find((here) => !ends.has(here));
  return stuck === undefined ? null : `from state ${stuck} no way leads to an end`;
}

export async function launch() {
  const executablePath = process.env.CHROMIUM;
  if (!executablePath) throw new Error('CHROMIUM names no browser: run tests/lab/browser/run.sh');
  // A sandbox can't be had by root, nor in many containers. Only our own two pages are opened.
  return puppeteer.launch({ executablePath, headless: true, args: ['--no-sandbox', '--disable-gpu', '--lang=en'] });
}

export class Tab {
  // A tab in a profile of its own. Whatever the page asks for or complains about is noted.
  static async open(browser, { language = 'en', address, scheme = 'light', width = 1280, height = 800, reducedMotion = false, storage = true } = {}) {
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    const tab = Object.assign(new Tab(), { page, context, language, address: address ?? fileAddress(language), complaints: [], requests: [] });
    page.setDefaultTimeout(60_000);
    page.on('console', (message) => tab.complaints.push(`console ${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => tab.complaints.push(`error: ${error.message}`));
    page.on('requestfailed', (request) => tab.complaints.push(`failed: ${request.url()}`));
    page.on('request', (request) => tab.requests.push(request.url()));
    await page.setViewport({ width, height });
    await page.emulateMediaFeatures([
      { name: 'prefers-color-scheme', value: scheme },
      { name: 'prefers-reduced-motion', value: reducedMotion ? 'reduce' : 'no-preference' },
    ]);
    if (!storage) {
      await page.evaluateOnNewDocument(() => Object.defineProperty(window, 'localStorage', { get() { throw new Error('no storage'); } }));
    }
    return tab;
  }

  // Goes to an exercise, and waits until it is drawn. (Looks by the clock: a tab in the background draws no frames.)
  async go(hash = '') {
    const url = this.address + (hash && '#' + hash);
    const id = hash.split('/')[0];
    if (this.page.url().split('#')[0] === this.address) await this.page.evaluate((to) => { location.hash = to; }, hash);
    else await this.page.goto(url);
    await this.page.waitForFunction((wanted) => document.querySelector('#stage .side') && (wanted === '' || document.querySelector('nav [aria-current]')?.dataset.id === wanted), { polling: 50 }, exercises.some((one) => one.id === id) ? id : '');
  }

  click(selector) {
    return this.page.evaluate((what) => document.querySelector(what).click(), selector);
  }
  text(selector) {
    return this.page.$eval(selector, (element) => element.textContent);
  }
  isShown(selector) {
    return this.page.$eval(selector, (element) => element.checkVisibility());
  }
  hash() {
    return this.page.evaluate(() => decodeURIComponent(location.hash.slice(1)));
  }
  // Moves the focus by the Tab key alone until it is on such an element.
  async tabTo(selector) {
    for (let presses = 0; presses < 200; presses++) {
      if (await this.page.evaluate((what) => document.activeElement?.matches(what), selector)) return;
      await this.page.keyboard.press('Tab');
    }
    throw new Error(`the Tab key does not lead to ${selector}`);
  }
  // What stands in shared memory, as it is shown.
  memory() {
    return this.page.$$eval('.memory .word .row', (rows) => rows.map((row) => [row.querySelector('.name').textContent, row.querySelector('.value').textContent]));
  }
  async close() {
    await this.context.close();
  }
}

// What each side can see of each place in a state, the oldest value first: the values of the last stores.
export const seenIn = (graph, state) => graph.memories[graph.states[state][0]].sees;
export const nowIn = (graph, state) => graph.memories[graph.states[state][0]].now;

// What of a graph's state the page has to show in shared memory.
export function memoryOf(graph, state) {
  const shown = (value) => graph.values[value].replace(/^"|"$/g, '');
  return graph.memories[graph.states[state][0]].now.map((value, place) => [graph.places[place], shown(value)]);
}
export const unquoted = (rows) => rows.map(([place, value]) => [place, value.replace(/^"|"$/g, '')]);
