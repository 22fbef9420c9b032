// What the server says, and what comes instead of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { World, answer, refused, signedIn } from './world.mjs';

const MINUTE = 60_000;
const REFRESH = '/api/auth/refresh';

for (const [name, fault] of Object.entries({ 'a page': () => answer(200, '<html>'), 'a bad gateway': () => answer(502, '<html>'), nothing: () => answer(200, []) })) {
  test(`whoever asks of sessions and is answered with ${name} is told so by a typed problem`, async () => {
    const { world, manager } = await signedIn();
    world.intercept = ({ path }) => (/sessions|stats/.test(path) ? fault() : undefined);
    const typed = ({ constructor, status, code }) => constructor === Error && status > 0 && !!code;
    if (name !== 'nothing') {
      await assert.rejects(manager.sessions.list(), typed);
      await assert.rejects(manager.sessions.revokeOthers(), typed);
      await assert.rejects(manager.getSessionStats(), typed);
    } else {
      world.intercept = ({ path }) => (path === '/sessions' ? fault() : path.includes('stats') ? answer(403, { code: 'not_yours', detail: 'no' }) : undefined);
      await assert.rejects(manager.getSessionStats(), { status: 403, code: 'not_yours' });
    }
    assert.equal(manager.isAuthenticated(), true);
  });
}

test('what a refusal names as the reason is told, and its code where it names none', async () => {
  for (const [told, wanted] of [[{ code: 'invalid_token', reason: 'idle' }, 'idle'], [{ code: 'invalid_token' }, 'invalid_token']]) {
    const { world, tab, manager } = await signedIn();
    world.intercept = ({ path }) => (path === REFRESH ? answer(401, told) : undefined);
    await manager.refreshAccessToken();
    assert.deepEqual(tab.of('signed-out').map(({ reason }) => reason), [wanted]);
  }
});

test('without a stream the next request tells that the session is over, and why', async () => {
  const { world, tab, manager } = await signedIn({ live: false });
  world.server.end('s1', 'user_revoked');
  await world.advance(MINUTE);
  assert.equal(manager.isAuthenticated(), true);
  assert.equal(world.count('/sessions/events'), 0);
  assert.equal((await manager.makeAuthenticatedRequest('/api/me')).status, 401);
  assert.deepEqual(tab.of('signed-out').map(({ reason }) => reason), ['user_revoked']);
});

test('a 401 that says so by its challenge alone is believed, whatever its body', async () => {
  const { world, manager } = await signedIn();
  let left = 1;
  const page = () => answer(401, '<html>over</html>', { 'www-authenticate': 'Bearer realm="x", error="invalid_token"' });
  world.intercept = ({ path }) => (path === '/api/me' && left-- > 0 ? page() : undefined);
  assert.equal((await manager.makeAuthenticatedRequest('/api/me')).status, 200);
  assert.equal(world.count(REFRESH), 1);
});

test('a base that is not listed gets nothing', async () => {
  const world = new World();
  assert.throws(() => world.tab({ base: 'https://api.example' }), TypeError);
  assert.equal(world.requests.length, 0);
  const { manager } = world.tab({ base: 'https://api.example', origins: ['https://api.example'] });
  await manager.signIn({ password: 'right' });
  assert.equal(world.requests[0].origin, 'https://api.example');
  assert.equal(manager.isAuthenticated(), true);
});

test('a sign-in waits as long as the server says, and gives up at once where that is long', async () => {
  for (const [seconds, after] of [['20', 2], ['3600', 1]]) {
    const world = new World();
    let left = 1;
    world.intercept = ({ path }) => (path.endsWith('/login') && left-- > 0 ? answer(503, { code: 'overloaded' }, { 'retry-after': seconds }) : undefined);
    const done = world.tab().manager.signIn({ password: 'right' }).catch(({ code }) => code);
    await world.advance(19_000);
    assert.equal(world.count('/api/auth/login'), 1);
    await world.advance(2_000);
    assert.equal(world.count('/api/auth/login'), after);
    assert.equal(await done, after === 2 ? undefined : 'overloaded');
  }
});
