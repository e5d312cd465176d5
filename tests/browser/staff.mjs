// What the owner does: moves in by the one-time link, looks at every page of the back office, makes
// a package and uploads its files.
import { createHash } from 'node:crypto';

const PASSPHRASE = 'a long enough passphrase';

const PAGES = ['/admin', '/admin/products', '/admin/orders', '/admin/customers', '/admin/invoices',
  '/admin/messages', '/admin/notices', '/admin/connections', '/admin/reviews', '/admin/events', '/admin/jobs',
  '/admin/api-keys', '/admin/settings', '/admin/staff', '/admin/account', '/admin/sessions',
  '/admin/products/new', '/admin/stamps', '/admin/connections/new', '/admin/api-keys/new'];
const LISTS = ['products', 'orders', 'customers', 'invoices', 'messages', 'notices', 'connections'];
const ACTS = ['resend', 'extend', 'reissue', 'regenerate'];

export async function movesIn(owner) {
  const { page, places } = owner;
  await page.goto(places.office);
  await owner.look('owner link');
  await owner.press('main form button');
  await owner.look('set password');
  for (const field of await page.locator('input[type="password"]').all()) await field.fill(PASSPHRASE);
  await owner.press(page.locator('main form button').last());
}

export async function looksAround(owner) {
  for (const path of PAGES) await owner.visit(path);
  for (const list of LISTS) {
    await owner.page.goto(owner.at(`/admin/${list}`));
    const row = owner.page.locator(`main a[href*="/admin/${list}/"]:not([href$="/new"]):not([href*="?"])`).first();
    owner.expect((await row.count()) > 0, `there is one of ${list}`);
    if (!(await row.count())) continue;
    await owner.press(row);
    await owner.look(`one of ${list}`);
  }
  await owner.visit('/admin/orders?q=nobody-of-this-name', { name: 'orders none found' });
  await owner.visit('/admin/orders/ord_00000000000000000000000000', { name: 'admin not found', status: 404 });
}

/** Each exception process asks first; one of them is done. */
export async function acts(owner) {
  const { page } = owner;
  await page.goto(owner.at('/admin/orders?q=ada'));
  await owner.press('main a[href*="/admin/orders/ord_"]');
  const order = new URL(page.url()).pathname;
  for (const act of ACTS) await owner.visit(`${order}/${act}`, { name: `confirm ${act}` });
  await owner.press(page.locator('main form button').last());
  owner.expect(page.url().includes(order), `regenerating ends at the order (${page.url()})`);
  await owner.look('order regenerated');
}

const UPLOAD = { mimeType: 'application/octet-stream', buffer: Buffer.alloc(3_000_000, 'handsel') };

/** Makes a package; a mistake is told next to its field, and nothing typed is lost. */
export async function makesPackage(owner) {
  const { page } = owner;
  await page.goto(owner.at('/admin/products/new'));
  await page.fill('input[name="name"]', 'Lantern');
  await page.fill('input[name="sku"]', 'LANTERN-1');
  await page.fill('input[name="currency_0"]', 'USD');
  await page.fill('input[name="amount_0"]', 'twelve');
  await owner.press('#product-form button[type="submit"]');
  await owner.look('package with a mistake');
  owner.expect((await page.inputValue('input[name="name"]')) === 'Lantern', 'what was typed stays');
  await page.fill('input[name="amount_0"]', '12.00');
  await owner.press('#product-form button[type="submit"]');
  owner.expect(/\/admin\/products\/prd_/.test(page.url()), `a package is made (${page.url()})`);
  await owner.look('package without files');
  return new URL(page.url()).pathname;
}

/** Switches stamping on; a mistake is told next to its field, and a leaked file's page says when there is no mark. */
export async function stamps(owner, path) {
  const { page } = owner;
  await page.goto(owner.at(`${path}/stamping`));
  await owner.look('stamping');
  await page.check('input[name="on"]');
  await page.fill('input[name="size"]', '900');
  await owner.press('#stamping-form button.primary');
  await owner.look('stamping with a mistake');
  await page.fill('input[name="size"]', '9');
  await owner.press('#stamping-form button.primary');
  owner.expect(page.url().endsWith(path), `stamping is saved (${page.url()})`);
  await owner.look('package with stamping');
  await page.goto(owner.at('/admin/stamps'));
  await page.setInputFiles('#file', { name: 'clean.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4') });
  await owner.press('form[action$="/admin/stamps"] button');
  owner.expect((await page.content()).includes('No mark was found'), 'a file without a mark is told as such');
  await owner.look('whose file: nobody’s');
}

/** Uploads a file by choosing it, as with script and so without. */
export async function uploads(owner, path, { name, looking = true }) {
  const { page } = owner;
  await page.goto(owner.at(path));
  const chosen = page.locator('form[action$="/files"] input[type="file"]').first();
  await chosen.setInputFiles({ ...UPLOAD, name });
  const button = page.locator('form[action$="/files"] button[type="submit"]').first();
  if (await button.isVisible()) await button.click();
  const listed = page.locator('.file-cards', { hasText: name });
  await listed.waitFor();
  const sha256 = createHash('sha256').update(UPLOAD.buffer).digest('hex');
  owner.expect((await page.content()).includes(sha256), `${name} arrived whole`);
  if (looking) await owner.look(`package with ${name}`);
}

/** Drops a file on the page, as from a folder. */
export async function drops(owner, path, { name }) {
  const { page } = owner;
  await page.goto(owner.at(path));
  const dropped = await page.evaluateHandle(([as, size]) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(size)], as));
    return data;
  }, [name, 1_000_000]);
  const zone = page.locator('form[action$="/files"] .drop-zone');
  await zone.dispatchEvent('dragover', { dataTransfer: dropped });
  await zone.dispatchEvent('drop', { dataTransfer: dropped });
  await page.locator('.file-cards', { hasText: name }).waitFor();
  owner.expect(true, `${name} was dropped`);
}
