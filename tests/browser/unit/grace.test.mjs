// Answers that are lost, under every grace that a server may have.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { World, answer, never, refused, settle, signedIn } from './world.mjs';

const MINUTE = 60_000;
const REFRESH = '/api/auth/refresh';

/** A page as the server writes it, for a grace of so many milliseconds. */
const declared = (grace) => {
  const dataset = { timeout: String(grace ? Math.min(8_000, grace / 2) : 8_000), session: 's1', generation: '1', expiresIn: '7200' };
  if (!grace) dataset.strict = 'true';
  return Object.assign(new EventTarget(), { querySelector: () => ({ content: 'cookie', dataset }) });
};

/** The session of a page, whose first answers to a refresh are lost after the server has rotated. */
const losing = async (grace, lost, tabs = 1) => {
  const world = new World();
  Object.assign(world.server, { mode: 'cookie', grace });
  world.server.signIn({ password: 'right' }, new Headers());
  for (let i = 0; i < tabs; i++) world.tab({}, { document: declared(grace) });
  world.intercept = (request) => {
    if (request.path !== REFRESH || lost-- < 1) return undefined;
    const { cookie, access } = world.server;
    world.server.answer(request);
    // The browser keeps what it has.
    Object.assign(world.server, { cookie, access });
    return never();
  };
  return world;
};

test('an answer that is lost is asked for again within the grace that the page names', async () => {
  const world = await losing(5_000, 1);
  const [tab] = world.tabs;
  world.now += 110 * MINUTE;
  const begun = world.now;
  const refreshed = tab.manager.refreshAccessToken();
  await world.advance(2_500);
  assert.equal(await refreshed, false);
  assert.deepEqual(tab.of('refresh-failed').map(({ kind }) => kind), ['timeout']);
  await world.advance(2_400);
  assert.ok(world.now - begun < 5_000);
  assert.equal(world.count(REFRESH), 2);
  assert.equal(tab.manager.getTokenInfo().generation, 2);
  assert.equal(world.server.sessions.get('s1').ended, undefined);
});

test('what was asked for before it was due, and lost, is asked for again as soon', async () => {
  const world = await losing(5_000, 1);
  const [tab] = world.tabs;
  tab.manager.refreshAccessToken();
  await world.advance(4_900);
  assert.equal(world.count(REFRESH), 2);
  assert.equal(tab.manager.getTokenInfo().generation, 2);
});

for (const type of ['online', 'resume', 'freeze']) {
  test(`without a grace no other tab asks while an answer is on its way: ${type}`, async () => {
    const world = await losing(0, 1, 3);
    world.now += 110 * MINUTE;
    world.tabs[0].manager.refreshAccessToken();
    await settle();
    for (const tab of world.tabs.slice(0, 2)) tab.dispatchEvent(new Event(type));
    world.tabs[1].manager.refreshAccessToken();
    await world.advance(2_000);
    assert.equal(world.count(REFRESH), 1);
  });
}

test('whoever signs out after a failure is not signed in again by what failed', async () => {
  const { world, tab, manager } = await signedIn({}, {}, 'cookie');
  world.intercept = () => answer(502, '');
  await manager.refreshAccessToken();
  const out = manager.signOut();
  await world.advance(MINUTE);
  assert.equal(await out, false);
  world.intercept = () => undefined;
  for (const type of ['focus', 'online', 'resume']) tab.dispatchEvent(new Event(type));
  await world.advance(10 * MINUTE);
  assert.equal(world.count(REFRESH), 1);
  assert.equal(manager.isAuthenticated(), false);
});

test('without a grace nobody asks unasked again for an answer that was lost', async () => {
  const world = await losing(0, 1, 3);
  await world.advance(108 * MINUTE);
  assert.equal(world.count(REFRESH), 1);
  const lost = world.tabs.flatMap((tab) => tab.of('refresh-failed'));
  assert.deepEqual(lost.map(({ retryIn }) => retryIn), [null]);
  for (const { manager } of world.tabs) {
    assert.equal(manager.isAuthenticated(), true);
    assert.equal(manager.getTokenInfo().expiresAt, null);
    await manager.makeAuthenticatedRequest('/api/me');
  }
  for (const type of ['online', 'focus', 'resume']) for (const tab of world.tabs) tab.dispatchEvent(new Event(type));
  await world.advance(30 * MINUTE);
  world.intercept = ({ path }) => (path === '/api/me' ? refused('token_expired') : undefined);
  for (const { manager } of world.tabs) assert.equal((await manager.makeAuthenticatedRequest('/api/me')).status, 401);
  assert.equal(world.count(REFRESH), 1);
  // Who asks for it decides.
  await world.tabs[0].manager.refreshAccessToken();
  assert.equal(world.count(REFRESH), 2);
});

test('without a grace a refusal to answer now is waited out and asked again', async () => {
  const world = await losing(0, 0);
  let left = 1;
  world.intercept = ({ path }) => (path === REFRESH && left-- > 0 ? answer(503, { code: 'store_unavailable' }) : undefined);
  await world.advance(110 * MINUTE);
  assert.equal(world.count(REFRESH), 2);
  assert.equal(world.tabs[0].manager.getTokenInfo().generation, 2);
});
