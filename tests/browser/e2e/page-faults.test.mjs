// Pages whose script, server or network does not do what it should.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { ADMIN, BROWSER, launch, once, open, signIn, start } from './flagship.mjs';
import { freeze } from './tabs.mjs';

let server;
let browser;
const pages = [];

before(async () => {
  [server, browser] = await Promise.all([start(), launch()]);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

afterEach(async () => {
  for (const page of pages.splice(0)) await page.context().close();
});

/** Somebody who is signed in; `init` runs in every page before its scripts. */
const somebody = async (init) => {
  const email = `user${Math.random().toString(36).slice(2)}@example.com`;
  assert.equal((await server.register(email)).status, 201);
  const page = await open(browser);
  pages.push(page);
  if (init) await page.context().addInitScript(init);
  await signIn(page, server, email);
  return { email, page };
};

const withoutLocks = () => Object.defineProperty(Navigator.prototype, 'locks', { value: undefined });

/** Ends all sessions of theirs, from another device. */
const endElsewhere = async (email) => {
  const { access_token } = await server.device(email);
  const others = `${server.address}/sessions/revoke-all?keep_current=true`;
  await fetch(others, { method: 'POST', headers: { authorization: `Bearer ${access_token}` } });
};

const notice = (page, text) => page.waitForFunction((text) => document.getElementById('notice')?.textContent === text, text);

/** Nothing was thrown; that a resource did not load is what these tests are about. */
const unharmed = (page) => assert.deepEqual(page.said.filter((text) => !/Failed to load resource|net::|NetworkError/.test(text)), []);

const FAILED = 'That did not work: This cannot be shown right now. Try again in a moment.';

once('a page that hears of the end by a refusal alone says why', async () => {
  const { email, page } = await somebody(withoutLocks);
  await endElsewhere(email);
  await page.evaluate(() => tokenManager.refreshAccessToken());
  await notice(page, 'You were signed out: signed out from another device.');
});

once('a page that is not told why says no more than that it is over', async () => {
  const { page } = await somebody(withoutLocks);
  const body = JSON.stringify({ code: 'invalid_token', detail: 'the token is not valid here' });
  await page.route('**/api/auth/refresh', (route) => route.fulfill({ status: 401, contentType: 'application/problem+json', body }));
  await page.evaluate(() => tokenManager.refreshAccessToken());
  await notice(page, 'You were signed out: ended.');
});

for (const [name, fulfil] of Object.entries({
  'a bad gateway': { status: 502, contentType: 'text/html', body: '<h1>bad gateway</h1>' },
  'a page of the network': { status: 200, contentType: 'text/html', body: '<h1>accept our terms</h1>' },
  nothing: null,
})) {
  once(`a form that is answered with ${name} is sent once, and it is said`, async () => {
    const { page } = await somebody();
    let sent = 0;
    await page.route('**/devices/*/name', (route) => (sent++, fulfil ? route.fulfill(fulfil) : route.abort()));
    await page.locator('.card summary').first().click();
    await page.fill('.card input', 'Once');
    await page.press('.card input', 'Enter');
    await notice(page, FAILED);
    assert.equal(sent, 1);
    assert.equal(new URL(page.url()).pathname, '/devices');
    unharmed(page);
  });
}

test('the pages work where the script of the token manager does not come', async () => {
  const { page } = await somebody();
  await page.route('**/token-manager.js*', (route) => route.abort());
  await page.reload();
  await page.waitForFunction(() => document.querySelector('time').title.length > 30);
  assert.equal(await page.evaluate(() => window.tokenManager), undefined);
  await page.locator('.card summary').first().click();
  await page.fill('.card input', 'Plain');
  await page.press('.card input', 'Enter');
  await notice(page, 'The name was saved.');
  assert.equal(await page.textContent('h3'), 'Plain');
  unharmed(page);
});

once('figures that come as a page change nothing and throw nothing', async () => {
  const page = await open(browser);
  pages.push(page);
  await page.addInitScript(() => {
    const { setInterval } = window;
    window.setInterval = (work, ms) => setInterval(work, ms / 50);
  });
  await signIn(page, server, ADMIN);
  let asked = 0;
  await page.route('**/api/admin/stats*', (route) => (asked++, route.fulfill({ status: 200, contentType: 'text/html', body: '<h1>terms</h1>' })));
  await page.goto(`${server.address}/admin`);
  await page.waitForResponse('**/api/admin/stats*');
  await page.waitForResponse('**/api/admin/stats*');
  assert.ok(asked >= 2);
  unharmed(page);
});

once('an address that is none leads nowhere', async () => {
  const { page } = await somebody();
  const refreshed = page.waitForResponse('**/api/auth/refresh');
  await page.goto(`${server.address}/sign-in?next=${encodeURIComponent('//')}`);
  await refreshed;
  await page.waitForFunction(() => tokenManager.getTokenInfo().generation > 1);
  assert.equal(new URL(page.url()).pathname, '/sign-in');
  unharmed(page);
});

test('a page that a refresh does not open is not asked for again and again', async () => {
  const { page } = await somebody(() => (sessionStorage.documents = 1 + Number(sessionStorage.documents ?? 0)));
  let asked;
  await page.route('**/devices', (route) => (asked++, route.fulfill({ status: 303, headers: { location: '/sign-in?next=%2Fdevices' } })));
  const round = async () => {
    asked = 0;
    await page.evaluate(() => (sessionStorage.documents = 0));
    await page.goto(`${server.address}/sign-in?next=%2Fdevices`);
    await page.waitForFunction(() => sessionStorage.documents >= 2);
  };
  // A refresh that is not answered within seconds leads nowhere, and a machine may be that slow once.
  await round().catch(round);
  // Whatever goes round on does so in less.
  await page.waitForTimeout(2_000);
  assert.ok(asked <= 2, `asked for ${asked} times`);
  await page.fill('#email', 'ada@example.com');
  assert.equal(await page.inputValue('#email'), 'ada@example.com');
});

// No command freezes a tab of Firefox.
(BROWSER === 'chromium' ? test : () => {})('a tab that freezes while it holds the stream deafens no other', async () => {
  const { email, page } = await somebody();
  const queue = (tab, of) => tab.waitForFunction(async (of) => (await navigator.locks.query())[of].some(({ name }) => name === 'tokenManager'), of);
  await queue(page, 'held');
  const other = await page.context().newPage();
  await other.goto(`${server.address}/devices`);
  await queue(other, 'pending');
  await page.evaluate(() => {
    window.turns = 0;
    setInterval(() => turns++, 20);
    document.addEventListener('freeze', () => (window.turnsThen = turns));
  });
  const stream = other.waitForResponse('**/sessions/events');
  const thaw = await freeze(page);
  await stream;
  await endElsewhere(email);
  const told = 'You were signed out: signed out from another device.';
  await notice(other, told);
  assert.equal(await page.evaluate(() => turns - turnsThen), 0, 'the tab did not freeze');
  await thaw();
  await notice(page, told);
});
