// The stream that tells of the end, and tabs that cannot hold it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { World, answer, never, settle, signedIn } from './world.mjs';

const MINUTE = 60_000;

test('a tab that is about to freeze gives the stream up, and asks for it when it goes on', async () => {
  const { world, tab } = await signedIn();
  const other = world.tab();
  tab.document.dispatchEvent(new Event('freeze'));
  await settle();
  assert.equal(world.requests.findLast(({ path }) => path === '/sessions/events').tab, other);
  tab.document.dispatchEvent(new Event('resume'));
  await settle();
  assert.equal(world.count('/sessions/events'), 2);
  other.close();
  await settle();
  assert.equal(world.requests.findLast(({ path }) => path === '/sessions/events').tab, tab);
});

test('a stream that says nothing for 45 seconds is given up, and another is asked for', async () => {
  const { world, tab } = await signedIn();
  await world.advance(10 * MINUTE);
  assert.equal(world.count('/sessions/events'), 1);
  world.server.silent = true;
  await world.advance(44_000);
  assert.equal(world.count('/sessions/events'), 1);
  await world.advance(16_000);
  assert.equal(world.count('/sessions/events'), 2);
  world.server.end('s1', 'user_revoked');
  await settle();
  assert.deepEqual(tab.of('signed-out').map(({ reason }) => reason), ['user_revoked']);
});

test('a stream that is never answered is given up after 45 seconds', async () => {
  const world = new World();
  world.intercept = ({ path }) => (path === '/sessions/events' ? never() : undefined);
  await world.tab().manager.signIn({ password: 'right' });
  await world.advance(100_000);
  assert.equal(world.count('/sessions/events'), 3);
});

test('whoever comes back online does not wait for the stream', async () => {
  const { world, tab } = await signedIn();
  world.intercept = ({ path }) => (path === '/sessions/events' ? Promise.reject(new TypeError('away')) : undefined);
  tab.dispatchEvent(new Event('online'));
  await world.advance(10 * MINUTE);
  const before = world.count('/sessions/events');
  world.intercept = () => undefined;
  tab.dispatchEvent(new Event('online'));
  await settle();
  assert.equal(world.count('/sessions/events'), before + 1);
});

test('a stream that is refused for now is asked for when the server said', async () => {
  const world = new World();
  world.intercept = ({ path }) => (path === '/sessions/events' ? answer(429, { code: 'rate_limited' }, { 'retry-after': '30' }) : undefined);
  await world.tab().manager.signIn({ password: 'right' });
  await world.advance(29_000);
  assert.equal(world.count('/sessions/events'), 1);
  await world.advance(2_000);
  assert.equal(world.count('/sessions/events'), 2);
});
