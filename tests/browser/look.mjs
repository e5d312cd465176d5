// The demo as a child process, a browser, and one look at a page: no serious axe-core finding,
// nothing wider than the screen, no CSP violation, no script error, at both widths and schemes.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const CHROMIUMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const WIDTHS = [360, 1440];
const SCHEMES = ['light', 'dark'];
const START_MS = 60_000;
/** How long a page may take to fill in by itself. */
export const PATIENCE_MS = 15_000;

/** Counts what held and collects what did not. */
export class Verdict {
  passed = 0;

  failures = [];

  expect(holds, what) {
    if (holds) this.passed += 1;
    else {
      console.log(`FAILED ${what}`);
      this.failures.push(what);
    }
  }
}

export async function startDemo(binary) {
  const child = spawn(binary, ['demo', '--port', '0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stderr.on('data', (chunk) => { errors += chunk; });
  const places = await new Promise((resolve, reject) => {
    const fail = (what) => reject(new Error(`the demo ${what}: ${output} ${errors}`));
    const timer = setTimeout(() => fail('did not start'), START_MS);
    child.on('exit', () => fail('ended'));
    child.stdout.on('data', (chunk) => {
      output += chunk;
      if (!output.includes('Ctrl-C')) return;
      clearTimeout(timer);
      const find = (name) => output.match(new RegExp(`^${name}\\s+(\\S+)`, 'm'))?.[1];
      resolve({ shop: find('Shop'), office: find('Back office'), paypal: find('PayPal'), mailbox: find('Mailbox') });
    });
  });
  return { child, places };
}

export async function startBrowser() {
  const executablePath = CHROMIUMS.find(existsSync);
  if (!executablePath) throw new Error(`no Chromium: looked for ${CHROMIUMS.join(', ')}`);
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  });
}

/** What one person does in a browser of their own. */
export class Person {
  constructor(page, { verdict, places, shots }) {
    this.page = page;
    this.verdict = verdict;
    this.places = places;
    this.shots = shots;
  }

  static async open(browser, stage, options = {}) {
    // Colors that glide have no contrast half-way that means anything.
    const context = await browser.newContext({ acceptDownloads: true, reducedMotion: 'reduce', ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('pageerror', (error) => stage.verdict.expect(false, `${page.url()}: ${error.message}`));
    page.on('console', (message) => {
      const text = message.text();
      if (text.includes('Content Security Policy')) stage.verdict.expect(false, `${page.url()}: ${text}`);
    });
    return new Person(page, stage);
  }

  expect(holds, what) {
    this.verdict.expect(holds, what);
  }

  at(path) {
    return new URL(path, this.places.shop).href;
  }

  /** Goes to a page of the shop and looks at it. */
  async visit(path, { name = path, status = 200 } = {}) {
    const response = await this.page.goto(this.at(path));
    this.expect(response.status() === status, `${path} answers ${response.status()}`);
    await this.look(name);
  }

  /** Clicks what leads to another page. */
  async press(what) {
    const target = typeof what === 'string' ? this.page.locator(what).first() : what.first();
    await Promise.all([this.page.waitForEvent('load'), target.click()]);
  }

  /** One look at the page as it is. */
  async look(name) {
    const { page } = this;
    for (const width of WIDTHS) {
      for (const colorScheme of SCHEMES) {
        const label = `${name} ${width} ${colorScheme}`;
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme });
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        this.expect(wide <= 0, `${label}: ${wide} px wider than the screen`);
        await this.#ask(label);
        if (this.shots) await page.screenshot({ path: `${this.shots}/${fileName(label)}.png`, fullPage: true });
      }
    }
  }

  async #ask(label) {
    // The page's own policy forbids scripts from elsewhere: axe comes in through the debugger.
    await this.page.evaluate(axe);
    const found = await this.page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
    const serious = found.violations.filter((one) => ['serious', 'critical'].includes(one.impact));
    const text = serious.map((one) => `${one.id} ${one.nodes.slice(0, 3).map((node) => node.target).join(' ')}`);
    this.expect(serious.length === 0, `${label}: ${text.join('; ')}`);
  }
}

const fileName = (label) => label.replaceAll(/\W+/g, '-').replace(/^-/, '');
