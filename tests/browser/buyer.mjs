// What a buyer does: from the shop to a checked file, by each way that the money can go.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { PATIENCE_MS } from './look.mjs';

const PRODUCT = 'LATHE-GOLD-21';
const CHECKOUT = 'form[action*="/checkout"]';

/** Puts a product into the cart and goes to the payment page. `looking`: stop at every page. */
async function checkOut(buyer, { email, looking }) {
  const { page, places } = buyer;
  const visit = async (name) => { if (looking) await buyer.look(name); };
  await page.goto(places.shop);
  await visit('shop');
  await page.click(`a[href*="${PRODUCT}"]`);
  await visit('product');
  await page.locator('form[action*="/cart"] button').last().click();
  await page.waitForLoadState();
  if (!page.url().includes('/cart')) await page.goto(buyer.at('/cart'));
  await visit('cart');
  await page.fill(`${CHECKOUT} input[name="email"]`, email);
  await page.locator(`${CHECKOUT} button[type="submit"]`).first().click();
  await page.waitForLoadState();
  // Without script, the page that hands over waits for a click.
  if (!page.url().startsWith(places.paypal)) {
    await visit('handoff');
    await page.locator('form[action*="webscr"] button').first().click();
  }
  await page.waitForURL(/\/checkout\//);
  await visit('simulated payment');
}

/** Chooses what happens to the money, and comes back to the shop. */
async function pay(buyer, choice) {
  const { page } = buyer;
  await page.check(`input[name="choice"][value="${choice}"]`);
  await page.locator('form[action*="/pay"] button').first().click();
  await page.waitForURL(/\/paid\//);
  if (choice === 'now') await buyer.page.waitForLoadState();
  await page.locator('form[action*="/o/"] button, a[href*="/o/"]').first().click();
  await page.waitForURL(/\/o\//);
}

/** Waits until the thank-you page shows something; without script, by loading it again. */
async function waitFor(buyer, what, { script }) {
  const { page } = buyer;
  const found = page.locator(what).first();
  const end = Date.now() + PATIENCE_MS;
  while (!(await found.count()) && Date.now() < end) {
    if (script) await found.waitFor({ timeout: PATIENCE_MS }).catch(() => {});
    else await page.reload();
  }
  buyer.expect((await found.count()) > 0, `the thank-you page shows ${what}`);
  return found;
}

async function download(buyer) {
  const { page } = buyer;
  const told = (await page.content()).match(/\b[0-9a-f]{64}\b/)?.[0];
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.locator('form[action*="/files/"] button').first().click(),
  ]);
  const got = createHash('sha256').update(readFileSync(await file.path())).digest('hex');
  buyer.expect(got === told, `the downloaded file has the SHA-256 that the page tells (${told}, ${got})`);
}

/** The whole purchase. */
export async function buys(buyer, { email, looking = true }) {
  await checkOut(buyer, { email, looking });
  await pay(buyer, 'now');
  const link = await waitFor(buyer, 'a[href*="/d/"]', { script: looking });
  if (looking) await buyer.look('thank you');
  await link.click();
  await buyer.page.waitForURL(/\/d\//);
  if (looking) await buyer.look('landing');
  await download(buyer);
}

/** What is shown while an eCheck is on its way, and when a payment is refused. */
export async function seesMoneyFail(buyer) {
  await checkOut(buyer, { email: 'eva@example.com', looking: false });
  await pay(buyer, 'echeck-clears');
  await waitFor(buyer, '.status-mark.warn', { script: true });
  await buyer.look('thank you pending');
  await checkOut(buyer, { email: 'dan@example.com', looking: false });
  await pay(buyer, 'denied');
  await waitFor(buyer, '.status-mark.bad', { script: true });
  await buyer.look('thank you refused');
}

/** Pays less than the price, by changing the form on its way. Nothing may be delivered. */
export async function cheats(buyer) {
  const { page } = buyer;
  await page.route(/webscr/, (route) => {
    const posted = route.request().postData();
    route.continue(posted ? { postData: posted.replaceAll('49.00', '1.00') } : {});
  });
  await checkOut(buyer, { email: 'mallory@example.com', looking: false });
  await pay(buyer, 'now');
  await waitFor(buyer, '.status-mark.info', { script: true });
  await buyer.look('thank you held');
  buyer.expect((await page.locator('a[href*="/d/"]').count()) === 0, 'who pays less gets no link');
  await page.unroute(/webscr/);
}

/** Pages one comes by when something is wrong. */
export async function losesTheWay(buyer) {
  await buyer.visit('/cart', { name: 'cart empty' });
  await buyer.visit('/p/NO-SUCH-THING', { name: 'not found', status: 404 });
  await buyer.visit('/d/not-a-token', { name: 'unknown link', status: 404 });
  await buyer.visit('/links/request', { name: 'ask for links' });
  await buyer.page.fill('main input[name="email"]', 'ada@example.com');
  await buyer.press('main form button');
  await buyer.look('links on the way');
}

/** Reads the mails that came. */
export async function readsMail(buyer) {
  const { page, places } = buyer;
  await page.goto(places.mailbox);
  await buyer.look('mailbox');
  const hrefs = await letters(buyer);
  buyer.expect(hrefs.length >= 2, `two mails came, the receipt and the note: ${hrefs}`);
  for (const [number, href] of hrefs.slice(0, 2).entries()) {
    await page.goto(new URL(href, places.mailbox).href);
    await buyer.look(`mail ${number + 1}`);
  }
}

async function letters({ page, places }) {
  await page.goto(places.mailbox);
  const all = await page.locator('main a').evaluateAll((links) => links.map((one) => one.getAttribute('href')));
  return all.filter((href) => /^\/\d+$/.test(href ?? ''));
}

/** The newest sign-in link in the mailbox, or nothing. */
async function signInLink(buyer) {
  const { page, places } = buyer;
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end) {
    for (const href of await letters(buyer)) {
      const raw = await page.request.get(new URL(`${href}/raw`, places.mailbox).href);
      const text = (await raw.text()).replaceAll('=\r\n', '').replaceAll('=3D', '=');
      const link = text.match(/http:\/\/\S*\/portal\/confirm\S+/)?.[0];
      if (link) return link;
    }
  }
  return undefined;
}

/** Signs in to the portal by mail, and looks at everything there. */
export async function visitsPortal(buyer, email) {
  const { page } = buyer;
  await buyer.visit('/portal', { name: 'portal sign-in' });
  await page.fill('main input[name="email"]', email);
  await buyer.press('main form button');
  await buyer.look('portal mail sent');
  const link = await signInLink(buyer);
  buyer.expect(Boolean(link), 'the sign-in mail came');
  if (!link) return;
  await page.goto(link);
  await buyer.look('portal confirm');
  await buyer.press('main form button');
  await buyer.look('portal purchases');
  await buyer.press('main a[href*="/portal/purchases/"]');
  await buyer.look('portal purchase');
  await buyer.press('main a[href*="/portal/invoices/"]');
  await buyer.look('invoice');
  await buyer.visit('/portal/profile', { name: 'portal profile' });
  await buyer.visit('/portal/sessions', { name: 'portal sessions' });
}

/** The simulator's own pages. */
export async function turnsTheClock(buyer) {
  const { page, places } = buyer;
  await page.goto(places.paypal);
  await buyer.look('simulator');
  await Promise.all([page.waitForEvent('load'), page.locator('form[action="/clock"] button').last().click()]);
}
