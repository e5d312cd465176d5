// Walks the demo as a buyer and as staff in a real Chromium, and looks at every page it comes by.
//
//   node run.mjs PATH-TO-HANDSEL [SCREENSHOT-FOLDER]
import { mkdirSync } from 'node:fs';
import * as buyer from './buyer.mjs';
import { Person, startBrowser, startDemo, Verdict } from './look.mjs';
import * as staff from './staff.mjs';

const [binary, shots] = process.argv.slice(2);
if (!binary) throw new Error('usage: node run.mjs PATH-TO-HANDSEL [SCREENSHOT-FOLDER]');
if (shots) mkdirSync(shots, { recursive: true });

const verdict = new Verdict();
const { child, places } = await startDemo(binary);
const browser = await startBrowser();
const stage = { verdict, places, shots };

const PART_MS = 180_000;

/** One part of the walk; when it cannot go on, the others still do. */
async function part(name, walk) {
  const began = Date.now();
  let timer;
  const tooLong = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error('took too long')), PART_MS); });
  try {
    await Promise.race([walk(), tooLong]);
    console.log(`${name} (${Math.round((Date.now() - began) / 1000)} s)`);
  } catch (error) {
    verdict.expect(false, `${name}: ${error.stack ?? error}`);
  } finally {
    clearTimeout(timer);
  }
}

try {
  const ada = await Person.open(browser, stage);
  await part('a purchase', () => buyer.buys(ada, { email: 'ada@example.com' }));
  await part('the mails', () => buyer.readsMail(ada));
  await part('the portal', () => buyer.visitsPortal(ada, 'ada@example.com'));
  const grace = await Person.open(browser, stage, { javaScriptEnabled: false });
  await part('a purchase without script', () => buyer.buys(grace, { email: 'grace@example.com', looking: false }));
  const eva = await Person.open(browser, stage);
  await part('money that does not come', () => buyer.seesMoneyFail(eva));
  await part('a changed price', () => buyer.cheats(eva));
  const lost = await Person.open(browser, stage);
  await part('lost ways', () => buyer.losesTheWay(lost));
  const owner = await Person.open(browser, stage);
  await part('moving in', () => staff.movesIn(owner));
  await part('the back office', () => staff.looksAround(owner));
  await part('exception processes', () => staff.acts(owner));
  await part('a package', async () => {
    const path = await staff.makesPackage(owner);
    await staff.uploads(owner, path, { name: 'Größe (neu).bin' });
    await staff.drops(owner, path, { name: 'dropped.bin' });
    await staff.stamps(owner, path);
    const plain = await Person.open(browser, stage, {
      javaScriptEnabled: false, storageState: await owner.page.context().storageState(),
    });
    await staff.uploads(plain, path, { name: 'without-script.bin', looking: false });
  });
  await part('the simulator', () => buyer.turnsTheClock(eva));
} finally {
  await browser.close();
  child.kill('SIGTERM');
}
console.log(`${verdict.passed} passed, ${verdict.failures.length} failed`);
process.exit(verdict.failures.length ? 1 : 0);
