// The token manager in tabs of a real browser, over a network that loses answers.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { launch, once, start } from './flagship.mjs';
import { authenticated, newcomer, tab as tabOf } from './tabs.mjs';

// Nothing is due by itself while a test runs, and no stall is longer than the grace.
const LIVES = { JWT_ACCESS_TOKEN_EXPIRY: '10m', JWT_ROTATION_GRACE: '60s' };
const TIMEOUT = 15_000;

let server;
let browser;
const contexts = [];

before(async () => {
  [server, browser] = await Promise.all([start(LIVES), launch()]);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
});

const tab = (context, mode) => tabOf(server, context, { mode, timeout: TIMEOUT });

const fresh = async (mode, init) => {
  const one = await newcomer(server, browser, { mode, timeout: TIMEOUT }, init);
  contexts.push(one.context);
  return one;
};

/** Refreshes, again where the machine was too slow for an answer. */
const renew = (page) => page.waitForFunction(() => tokenManager.refreshAccessToken());
const me = (page) => page.evaluate(async () => (await tokenManager.makeAuthenticatedRequest('/api/me')).status);

for (const mode of ['storage', 'hybrid', 'cookie']) {
  test(`${mode}: any number of tabs refresh at once and all go on`, async () => {
    const { context, first } = await fresh(mode);
    const tabs = [first];
    for (let i = 0; i < 4; i++) tabs.push(await tab(context, mode));
    for (let round = 0; round < 3; round++) {
      await Promise.all(tabs.map(renew));
    }
    for (const page of tabs) assert.equal(await me(page), 200);
  });

  test(`${mode}: a sign-out in one tab is one in all, on the server as well`, async () => {
    const { context, first } = await fresh(mode);
    const other = await tab(context, mode);
    assert.equal(await me(other), 200);
    assert.equal(await first.evaluate(() => tokenManager.signOut()), true);
    await other.waitForFunction(() => !tokenManager.isAuthenticated());
    assert.equal(await me(other), 401);
    const reasons = await other.evaluate(() => told.filter(({ type }) => type === 'signed-out').map(({ reason }) => reason));
    assert.equal(reasons.length, 1);
    // By the other tab or, where that is faster, by the server.
    assert.equal(reasons[0], 'signed_out');
  });

  test(`${mode}: a session ended elsewhere is over at once, with the reason`, async () => {
    const { email, first } = await fresh(mode);
    assert.equal(await me(first), 200);
    const { access_token } = await server.device(email);
    const others = `${server.address}/sessions/revoke-all?keep_current=true`;
    await fetch(others, { method: 'POST', headers: { authorization: `Bearer ${access_token}` } });
    await first.waitForFunction(() => !tokenManager.isAuthenticated());
    assert.deepEqual(await first.evaluate(() => told.filter(({ type }) => type === 'signed-out').map(({ reason }) => reason)), ['user_revoked']);
  });

  (mode === 'cookie' ? test : once)(`${mode}: an answer that is lost after the server rotated is asked for again`, async () => {
    const { context, first } = await fresh(mode);
    let lost = 0;
    await context.route('**/api/auth/refresh', async (route) => {
      if (lost++) return route.continue();
      await route.fetch();
      return route.abort();
    });
    assert.equal(await first.evaluate(() => tokenManager.refreshAccessToken()), false);
    await first.waitForFunction(() => told.some(({ type }) => type === 'refreshed'));
    assert.equal(await authenticated(first), true);
    assert.equal(await me(first), 200);
  });
}

test('without locks, too, any number of tabs refresh at once and all go on', async () => {
  // The stream needs a lock as well.
  const options = { mode: 'cookie', timeout: TIMEOUT, live: false };
  const { context, first } = await newcomer(server, browser, options, () => {
    Object.defineProperty(Navigator.prototype, 'locks', { value: undefined });
  });
  contexts.push(context);
  const tabs = [first];
  for (let i = 0; i < 4; i++) tabs.push(await tab(context, 'cookie'));
  let asked = 0;
  context.on('request', (request) => (asked += request.url().endsWith('/refresh')));
  for (let round = 0; round < 3; round++) await Promise.all(tabs.map(renew));
  assert.ok(asked > 3, `${asked} requests: they did not ask at once`);
  for (const page of tabs) {
    assert.equal(await page.evaluate(() => navigator.locks), undefined);
    assert.equal(await me(page), 200);
  }
});

test('where there is no stream the next request tells that the session was ended, and why', async () => {
  const { email, context, first } = await newcomer(server, browser, { mode: 'cookie', timeout: TIMEOUT, live: false });
  contexts.push(context);
  const { access_token } = await server.device(email);
  const others = `${server.address}/sessions/revoke-all?keep_current=true`;
  await fetch(others, { method: 'POST', headers: { authorization: `Bearer ${access_token}` } });
  assert.equal(await authenticated(first), true);
  assert.equal(await me(first), 401);
  assert.deepEqual(await first.evaluate(() => told.filter(({ type }) => type === 'signed-out').map(({ reason }) => reason)), ['user_revoked']);
});

for (const [name, fulfil] of Object.entries({
  'a page': { status: 200, contentType: 'text/html', body: '<html>sign in to this network</html>' },
  'a bad gateway': { status: 502, body: 'bad gateway' },
  'a redirect': { status: 302, headers: { location: '/sign-in' } },
  'a refusal by something in between': { status: 401, contentType: 'text/html', body: 'proxy' },
})) {
  (name === 'a redirect' ? test : once)(`a refresh that is answered with ${name} ends nothing and throws nothing`, async () => {
    const { context, first } = await fresh('storage');
    const thrown = [];
    first.on('pageerror', (error) => thrown.push(String(error)));
    let asked = 0;
    await context.route('**/api/auth/refresh', (route) => (asked++, route.fulfill(fulfil)));
    assert.equal(await first.evaluate(() => tokenManager.refreshAccessToken()), false);
    assert.equal(await authenticated(first), true);
    assert.equal(await first.evaluate(() => told.at(-1).type), 'refresh-failed');
    assert.ok(asked <= 5, `${asked} requests`);
    await context.unroute('**/api/auth/refresh');
    await renew(first);
    assert.deepEqual(thrown, []);
  });
}

test('a storage that throws is done without', async () => {
  const { first } = await fresh('storage', () => {
    Object.defineProperty(window, 'localStorage', { get: () => { throw new DOMException('denied', 'SecurityError'); } });
  });
  assert.equal(await me(first), 200);
  await renew(first);
  assert.equal(await first.evaluate(() => tokenManager.getTokenInfo().persistent), false);
});

test('a reload keeps the session in every mode', async () => {
  for (const mode of ['storage', 'hybrid', 'cookie']) {
    const { context } = await fresh(mode);
    const again = await tab(context, mode);
    assert.equal(await authenticated(again), true);
    assert.equal(await me(again), 200);
  }
});
