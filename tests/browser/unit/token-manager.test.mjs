import assert from 'node:assert/strict';
import { test } from 'node:test';

import { World, answer, never, refused, settle, signedIn } from './world.mjs';

const MINUTE = 60_000;
const REFRESH = '/api/auth/refresh';

test('the guide works as it is written', async () => {
  const { world, tab, manager } = await signedIn();
  assert.equal(manager.isAuthenticated(), true);
  assert.equal(manager.getAccessToken(), 'a.s1.1');
  assert.equal(tab.localStorage.getItem('accessToken'), 'a.s1.1');
  assert.equal(tab.localStorage.getItem('refreshToken'), 'r.s1.1');
  const response = await manager.makeAuthenticatedRequest('/api/protected', { method: 'GET' });
  assert.equal((await response.json()).authorization, 'Bearer a.s1.1');
  const { authenticated, sessionId, generation, needsRefresh, expiresAt } = manager.getTokenInfo();
  assert.deepEqual([authenticated, sessionId, generation, needsRefresh], [true, 's1', 1, false]);
  assert.equal(expiresAt, world.now + 120 * MINUTE);
  assert.equal(await manager.refreshAccessToken(), true);
  assert.equal(manager.getAccessToken(), 'a.s1.2');
  assert.deepEqual(await manager.getSessionStats(), { userId: 'u%2F1' });
});

test('installing puts the names where older code looks', async () => {
  const { TokenManager } = await import('../../../src/browser/assets/token-manager.js');
  const world = new World();
  const tab = world.tab();
  const manager = TokenManager.install({}, tab);
  assert.equal(tab.tokenManager, manager);
  assert.equal(tab.TokenManager, TokenManager);
  assert.equal(tab.getToken(), null);
  await manager.signIn({ password: 'right' });
  assert.equal(tab.getToken(), 'a.s1.1');
});

test('a token is refreshed fifteen minutes before its end, by itself', async () => {
  const { world, manager } = await signedIn();
  await world.advance(104 * MINUTE);
  assert.equal(world.count(REFRESH), 0);
  await world.advance(10 * MINUTE);
  assert.equal(world.count(REFRESH), 1);
  assert.equal(manager.getTokenInfo().generation, 2);
});

test('a short-lived token is refreshed after half its life', async () => {
  const world = new World();
  world.server.lifetime = 40_000;
  world.server.grace = 10_000;
  const { manager } = world.tab();
  await manager.signIn({ password: 'right' });
  await world.advance(19_000);
  assert.equal(world.count(REFRESH), 0);
  await world.advance(4_000);
  assert.equal(world.count(REFRESH), 1);
});

test('refreshes of one tab join', async () => {
  const { world, manager } = await signedIn({}, { navigator: { onLine: true } });
  const results = await Promise.all([1, 2, 3].map(() => manager.refreshAccessToken()));
  assert.deepEqual(results, [true, true, true]);
  assert.equal(world.count(REFRESH), 1);
});

test('tabs share what one of them refreshed', async () => {
  const { world, manager } = await signedIn();
  const others = Array.from({ length: 5 }, () => world.tab());
  assert.ok(others.every((tab) => tab.manager.isAuthenticated()));
  await world.advance(119 * MINUTE);
  assert.equal(world.count(REFRESH), 1);
  for (const tab of others) assert.equal(tab.manager.getAccessToken(), manager.getAccessToken());
});

test('tabs without locks refresh at once and all go on', async () => {
  const { world } = await signedIn({}, { navigator: { onLine: true } });
  const others = Array.from({ length: 5 }, () => world.tab({}, { navigator: { onLine: true } }));
  await Promise.all(others.map((tab) => tab.manager.refreshAccessToken()));
  await world.advance(119 * MINUTE);
  assert.ok(world.tabs.every((tab) => tab.manager.isAuthenticated()));
  assert.deepEqual(world.tabs.flatMap((tab) => tab.of('signed-out')), []);
});

test('locks that are never given up are waited for a while only', async () => {
  const { world, manager } = await signedIn();
  for (const number of [0, 1, 2]) world.locks.set(`tokenManager${number}`, never());
  const refreshed = manager.refreshAccessToken();
  await world.advance(20_000);
  assert.equal(world.count(REFRESH), 0);
  await world.advance(40_000);
  assert.equal(await refreshed, true);
});

test('a tab that is frozen with the lock costs one refresh for each that is due, and not one for each tab', async () => {
  const { world } = await signedIn();
  Object.assign(world.server, { lifetime: 60_000, grace: 10_000 });
  const others = Array.from({ length: 9 }, () => world.tab());
  await others[0].manager.refreshAccessToken();
  world.locks.set('tokenManager0', never());
  const before = world.count(REFRESH);
  const answered = world.server.answer.bind(world.server);
  world.intercept = async (request) => {
    if (request.path !== REFRESH) return undefined;
    await new Promise((go) => world.timers.set(world.nextTimer++, { at: world.now + 5_000, work: go }));
    return answered(request);
  };
  await world.advance(5 * MINUTE);
  const { n } = world.server.sessions.get('s1');
  assert.ok(n > 5, `${n} generations in five minutes`);
  assert.equal(world.count(REFRESH) - before, n - 2);
});

test('a tab that freezes in the middle of a refresh gives the lock up, and goes on when it may', async () => {
  const { world, tab } = await signedIn();
  const other = world.tab();
  let late;
  world.intercept = async (request) => {
    if (request.path !== REFRESH || request.tab !== tab) return undefined;
    await new Promise((go) => (late = go));
  };
  const refreshed = tab.manager.refreshAccessToken();
  await settle();
  assert.ok(world.locks.has('tokenManager0'));
  tab.document.dispatchEvent(new Event('freeze'));
  await settle();
  assert.ok(!world.locks.has('tokenManager0'), 'a frozen tab holds it');
  const { now } = world;
  assert.equal(await other.manager.refreshAccessToken(), true);
  assert.equal(world.now, now, 'it waited');
  late();
  assert.equal(await refreshed, true);
  assert.equal(world.server.sessions.get('s1').ended, undefined);
});

test('a tab that thaws with an old answer leaves what is newer where it is', async () => {
  const { world, tab } = await signedIn();
  const other = world.tab();
  let late;
  world.intercept = async (request) => {
    if (request.path !== REFRESH || request.tab !== tab) return undefined;
    const reply = world.server.answer(request);
    await new Promise((go) => (late = go));
    return reply;
  };
  const refreshed = tab.manager.refreshAccessToken();
  await settle();
  tab.document.dispatchEvent(new Event('freeze'));
  await settle();
  // Nothing reaches it any more.
  tab.channel = null;
  tab.dispatchEvent = () => true;
  // So late that the server rotates once more.
  world.server.grace = 0;
  await other.manager.refreshAccessToken();
  assert.equal(world.items.get('refreshToken'), 'r.s1.3');
  late();
  await refreshed;
  assert.equal(world.items.get('refreshToken'), 'r.s1.3');
  assert.equal(tab.manager.getTokenInfo().generation, 3);
});

test('an access token without a refresh token is kept as long as the server takes it', async () => {
  const world = new World();
  world.items.set('accessToken', 'a.s1.1');
  const { manager } = world.tab({ mode: 'storage' });
  await world.advance(10 * MINUTE);
  assert.equal(await manager.refreshAccessToken(), false);
  assert.equal(manager.getAccessToken(), 'a.s1.1');
  assert.equal(world.count(REFRESH), 0);
});

test('nobody queues for the lock, where a frozen tab would keep its turn', async () => {
  const { tab, manager } = await signedIn();
  const asked = [];
  const { locks } = tab.navigator;
  const { request } = locks;
  locks.request = (name, options, work) => {
    asked.push([name, options.ifAvailable]);
    return request(name, options, work);
  };
  assert.equal(await manager.refreshAccessToken(), true);
  assert.deepEqual(asked, [['tokenManager0', true]]);
});

// What comes instead of an answer to a refresh, none of which says anything of the session.
const faults = {
  'nothing at all': never,
  'a broken connection': () => Promise.reject(new TypeError('failed')),
  'a redirect to a sign-in page': () => Promise.reject(new TypeError('redirect')),
  'a page that is no answer': () => answer(200, '<html>sign in to this network</html>'),
  'half an answer': () => answer(200, { access_token: 'x' }),
  'an empty answer': () => answer(204, null),
  'a lifetime of nothing': () => answer(200, { access_token: 'x', refresh_token: 'y', expires_in: 0, session_id: 's1', generation: 2 }),
  'an array': () => answer(200, [1, 2]),
  'a 401 of something in between': () => answer(401, '<html>proxy</html>'),
  'a 401 that names no reason of ours': () => answer(401, { code: 'proxy_sign_in' }),
  'a 403': () => answer(403, { code: 'csrf_rejected' }),
  'a 404': () => answer(404, { code: 'not_found' }),
  'a 429': () => answer(429, { code: 'rate_limited' }),
  'a 500': () => answer(500, 'oops'),
  'a 502': () => answer(502, '<html>bad gateway</html>'),
  'a 503': () => answer(503, { code: 'store_unavailable' }),
};
for (const mode of ['storage', 'hybrid', 'cookie']) {
  for (const [name, fault] of Object.entries(faults)) {
    if (mode === 'cookie' && name === 'half an answer') continue;
    test(`${mode}: after ${name} the session goes on and is refreshed later`, async () => {
      const { world, tab, manager } = await signedIn({}, {}, mode);
      let left = 4;
      world.intercept = ({ path }) => (path === REFRESH && left-- > 0 ? fault() : undefined);
      await world.advance(119 * MINUTE);
      assert.equal(manager.isAuthenticated(), true);
      assert.equal(tab.of('refresh-failed').length, 4);
      assert.equal(tab.of('signed-out').length, 0);
      assert.equal(manager.getTokenInfo().generation, 2);
      assert.equal(manager.getTokenInfo().failures, 0);
    });
  }
}

for (const code of ['invalid_token', 'refresh_reused', 'token_revoked', 'missing_token']) {
  test(`a refusal by the server ends the session and says why: ${code}`, async () => {
    const { world, tab, manager } = await signedIn();
    const other = world.tab();
    world.intercept = ({ path }) => (path === REFRESH ? refused(code) : undefined);
    assert.equal(await manager.refreshAccessToken(), false);
    await settle();
    for (const one of [tab, other]) {
      assert.equal(one.manager.isAuthenticated(), false);
      assert.deepEqual(one.of('signed-out').map((event) => event.reason), [code]);
    }
    assert.equal(tab.localStorage.getItem('accessToken'), null);
    await world.advance(300 * MINUTE);
    assert.equal(world.count(REFRESH), 1);
  });
}

test('failures are repeated ever more slowly', async () => {
  const { world } = await signedIn();
  world.intercept = ({ path }) => (path === REFRESH ? answer(502, '') : undefined);
  await world.advance(107 * MINUTE);
  const begun = world.count(REFRESH);
  await world.advance(60 * MINUTE);
  const more = world.count(REFRESH) - begun;
  assert.ok(more >= 50 && more <= 130, `${more} in an hour`);
});

for (const [told, form] of [['seconds', () => '120'], ['a date', (world) => new Date(world.now + 120_000).toUTCString()]]) {
  test(`Retry-After is honoured: ${told}`, async () => {
    const { world, manager } = await signedIn();
    world.intercept = ({ path }) =>
      path === REFRESH ? answer(429, { code: 'rate_limited' }, { 'retry-after': form(world) }) : undefined;
    world.now += 110 * MINUTE;
    await manager.refreshAccessToken();
    await world.advance(115_000);
    assert.equal(world.count(REFRESH), 1);
    await world.advance(10_000);
    assert.equal(world.count(REFRESH), 2);
  });
}

test('requests do not refresh while a failure is waited out', async () => {
  const { world, manager } = await signedIn();
  world.intercept = ({ path }) => (path === REFRESH ? answer(503, {}, { 'retry-after': '30' }) : undefined);
  await manager.refreshAccessToken();
  world.now += 130 * MINUTE;
  for (let i = 0; i < 20; i++) await manager.makeAuthenticatedRequest('/api/me');
  assert.equal(world.count(REFRESH), 1);
});

test('nothing is sent offline, and what is due goes out once it is over', async () => {
  const { world, tab, manager } = await signedIn();
  tab.navigator.onLine = false;
  await world.advance(200 * MINUTE);
  assert.equal(world.count(REFRESH), 0);
  assert.equal(manager.isAuthenticated(), true);
  tab.navigator.onLine = true;
  tab.dispatchEvent(new Event('online'));
  await settle();
  assert.equal(manager.getTokenInfo().generation, 2);
});

for (const type of ['pageshow', 'focus', 'visibilitychange']) {
  test(`a tab that slept refreshes on ${type}`, async () => {
    const { world, tab, manager } = await signedIn();
    world.timers.clear();
    world.now += 3 * 60 * MINUTE;
    (type === 'visibilitychange' ? tab.document : tab).dispatchEvent(new Event(type));
    await settle();
    assert.equal(manager.getTokenInfo().generation, 2);
  });
}

for (const days of [-1, 1, -400, 400]) {
  test(`a clock that jumps by ${days} days neither storms nor signs out`, async () => {
    const { world, manager } = await signedIn();
    const others = [world.tab(), world.tab()];
    world.skew = days * 24 * 60 * MINUTE;
    await world.advance(60 * MINUTE);
    assert.ok(world.count(REFRESH) <= 3, `${world.count(REFRESH)} refreshes`);
    assert.ok([manager, ...others.map((tab) => tab.manager)].every((one) => one.isAuthenticated()));
    world.skew = 0;
    await world.advance(60 * MINUTE);
    assert.ok(world.count(REFRESH) <= 6, `${world.count(REFRESH)} refreshes`);
    assert.equal(manager.isAuthenticated(), true);
  });
}

test('a request whose token was refused is repeated once with a new one', async () => {
  const { world, manager } = await signedIn();
  let left = 1;
  world.intercept = ({ path }) => (path === '/api/me' && left-- > 0 ? refused('token_expired') : undefined);
  const response = await manager.makeAuthenticatedRequest('/api/me', { method: 'POST', body: '{"a":1}' });
  assert.deepEqual(await response.json(), { echo: { a: 1 }, authorization: 'Bearer a.s1.2' });
  assert.equal(world.count('/api/me'), 2);
});

test('a request that is refused for ever is sent twice at most', async () => {
  const { world, manager } = await signedIn();
  world.intercept = ({ path }) => (path === '/api/me' ? refused('token_expired') : undefined);
  const response = await manager.makeAuthenticatedRequest('/api/me');
  assert.equal(response.status, 401);
  assert.equal(world.count('/api/me'), 2);
});

test('roles that changed are read by a refresh', async () => {
  const { world, manager } = await signedIn();
  let left = 1;
  world.intercept = ({ path }) => (path === '/api/me' && left-- > 0 ? answer(401, { code: 'token_stale' }) : undefined);
  assert.equal((await manager.makeAuthenticatedRequest('/api/me')).status, 200);
});

test('a 401 for another reason is left to the caller', async () => {
  const { world, manager } = await signedIn();
  for (const code of ['insufficient_user_authentication', 'missing_token', undefined]) {
    world.intercept = ({ path }) => (path === '/api/me' ? answer(401, { code }) : undefined);
    assert.equal((await manager.makeAuthenticatedRequest('/api/me')).status, 401);
  }
  assert.equal(world.count(REFRESH), 0);
});

test('a body that can be read once is not sent again, but the token is renewed', async () => {
  const { world, manager } = await signedIn();
  world.intercept = ({ path }) => (path === '/api/upload' ? refused('token_expired') : undefined);
  const init = { method: 'POST', body: new ReadableStream(), duplex: 'half' };
  assert.equal((await manager.makeAuthenticatedRequest('/api/upload', init)).status, 401);
  assert.equal(world.count('/api/upload'), 1);
  assert.equal(world.count(REFRESH), 1);
  const request = new Request('https://app.example/api/upload', { method: 'POST', body: 'x' });
  assert.equal((await manager.makeAuthenticatedRequest(request)).status, 401);
  assert.equal(world.count('/api/upload'), 2);
});

test('tokens go to the same and to listed origins alone', async () => {
  const { world, manager } = await signedIn({ origins: ['https://api.example'] });
  const before = world.requests.length;
  for (const url of ['https://evil.example/', '//evil.example/x', 'http://app.example/', 'https://app.example.evil/', 'https://app.example@evil.example/']) {
    await assert.rejects(manager.makeAuthenticatedRequest(url), TypeError, url);
  }
  await assert.rejects(manager.makeAuthenticatedRequest(new URL('https://evil.example')), TypeError);
  await assert.rejects(manager.makeAuthenticatedRequest(new Request('https://evil.example')), TypeError);
  assert.equal(world.requests.length, before);
  await manager.makeAuthenticatedRequest('https://api.example/me');
  assert.equal(world.requests.at(-1).headers.get('authorization'), 'Bearer a.s1.1');
});

test('a sign-out beats a refresh on its way', async () => {
  const { world, tab, manager } = await signedIn();
  let release;
  world.intercept = ({ path }) =>
    path === REFRESH ? new Promise((go) => { release = go; }).then(() => undefined) : undefined;
  const refreshed = manager.refreshAccessToken();
  await settle();
  const out = manager.signOut();
  assert.equal(manager.isAuthenticated(), false);
  world.server.sessions.get('s1').ended = undefined;
  release();
  assert.equal(await refreshed, false);
  assert.equal(await out, true);
  assert.equal(manager.isAuthenticated(), false);
  assert.equal(tab.localStorage.getItem('tokenManager'), null);
});

test('a sign-out in one tab beats a refresh on its way in another', async () => {
  const { world, manager } = await signedIn();
  const other = world.tab();
  let release;
  world.intercept = ({ path }) =>
    path === REFRESH ? new Promise((go) => { release = go; }).then(() => answer(200, { access_token: 'late', refresh_token: 'late', expires_in: 7200, session_id: 's1', generation: 2 })) : undefined;
  const refreshed = other.manager.refreshAccessToken();
  await settle();
  await manager.signOut();
  release();
  assert.equal(await refreshed, false);
  await settle();
  assert.ok(world.tabs.every((tab) => !tab.manager.isAuthenticated()));
  assert.equal(world.items.get('accessToken'), undefined);
});

test('a lower generation never takes the place of a higher one', async () => {
  const { world, tab, manager } = await signedIn();
  await manager.refreshAccessToken();
  const late = { sessionId: 's1', generation: 1, receivedAt: world.now + 1, expiresIn: 1, accessToken: 'a.s1.1' };
  tab.channel.dispatchEvent(new MessageEvent('message', { data: { state: late } }));
  assert.equal(manager.getAccessToken(), 'a.s1.2');
  world.intercept = ({ path }) =>
    path === REFRESH ? answer(200, { access_token: 'old', refresh_token: 'old', expires_in: 9, session_id: 's1', generation: 1 }) : undefined;
  await manager.refreshAccessToken();
  assert.equal(manager.getAccessToken(), 'a.s1.2');
  assert.equal(tab.localStorage.getItem('refreshToken'), 'r.s1.2');
});

test('what has ended does not come back by a late message', async () => {
  const { world, tab, manager } = await signedIn();
  await manager.signOut();
  const late = { sessionId: 's1', generation: 9, receivedAt: world.now, expiresIn: 9e6, accessToken: 'a' };
  tab.channel.dispatchEvent(new MessageEvent('message', { data: { state: late } }));
  assert.equal(manager.isAuthenticated(), false);
});

test('a refusal of an old token does not end what another tab has renewed', async () => {
  const { world, manager } = await signedIn();
  world.intercept = ({ path }) => {
    if (path !== REFRESH) return undefined;
    const told = { sessionId: 's1', generation: 5, receivedAt: world.now + 5, expiresIn: 7_200_000, accessToken: 'a.s1.5' };
    world.items.set('tokenManager', JSON.stringify(told));
    world.items.set('accessToken', 'a.s1.5');
    world.items.set('refreshToken', 'r.s1.5');
    return refused('invalid_token');
  };
  assert.equal(await manager.refreshAccessToken(), true);
  assert.equal(manager.getAccessToken(), 'a.s1.5');
});

test('a sign-out says whether the server has confirmed it', async () => {
  const { world, tab, manager } = await signedIn();
  world.intercept = ({ path }) => (path === '/api/auth/logout' ? answer(502, '') : undefined);
  const out = manager.signOut();
  await world.advance(MINUTE);
  assert.equal(await out, false);
  assert.equal(world.count('/api/auth/logout'), 3);
  assert.equal(tab.of('sign-out-unconfirmed').length, 1);
  assert.equal(manager.isAuthenticated(), false);
});

test('a sign-in whose answer was lost finds its session again', async () => {
  const world = new World();
  const { manager } = world.tab();
  let left = 1;
  world.intercept = (request) => {
    if (request.path !== '/api/auth/login' || left-- < 1) return undefined;
    world.server.answer(request);
    return Promise.reject(new TypeError('lost'));
  };
  const done = manager.signIn({ password: 'right' });
  await world.advance(MINUTE);
  await done;
  assert.equal(world.server.sessions.size, 1);
  assert.equal(manager.isAuthenticated(), true);
});

test('a refused sign-in rejects with what the server said, at once', async () => {
  const world = new World();
  const { manager } = world.tab();
  await assert.rejects(manager.signIn({ password: 'wrong' }), { code: 'invalid_credentials', status: 401, message: 'no' });
  assert.equal(world.count('/api/auth/login'), 1);
});

test('in the modes hybrid and cookie no token is in any storage', async () => {
  for (const mode of ['hybrid', 'cookie']) {
    const { world, manager } = await signedIn({}, {}, mode);
    assert.equal(world.requests[0].body.transport, mode);
    await manager.refreshAccessToken();
    for (const text of world.items.values()) assert.ok(!/[ar]\.s1/.test(text), text);
    assert.equal(manager.getAccessToken(), mode === 'hybrid' ? 'a.s1.2' : null);
    assert.equal(world.tab({ mode }).manager.isAuthenticated(), true);
  }
});

test('a new hybrid tab fetches the token that is in no storage', async () => {
  const { world } = await signedIn({}, {}, 'hybrid');
  const { manager } = world.tab({ mode: 'hybrid' });
  const response = await manager.makeAuthenticatedRequest('/api/me');
  assert.equal((await response.json()).authorization, 'Bearer a.s1.2');
});

test('the page declares the mode and the session', async () => {
  const world = new World();
  world.server.mode = 'cookie';
  const meta = { content: 'cookie', dataset: { session: 's7', generation: '3', expiresIn: '600' } };
  const document = Object.assign(new EventTarget(), { querySelector: () => meta });
  const { manager } = world.tab({}, { document });
  const { mode, sessionId, generation, expiresAt } = manager.getTokenInfo();
  assert.deepEqual([mode, sessionId, generation, expiresAt - world.now], ['cookie', 's7', 3, 600_000]);
});

test('the storage mode says once what it costs', async () => {
  const { tab } = await signedIn();
  assert.equal(tab.said.filter(([level, text]) => level === 'info' && text.includes('localStorage')).length, 1);
  const { tab: other } = await signedIn({}, {}, 'cookie');
  assert.deepEqual(other.said, []);
});

for (const [name, when] of [['read', 'getItem'], ['written', 'setItem']]) {
  test(`a storage that throws when ${name} is done without, and it is said`, async () => {
    const world = new World();
    const throwing = { getItem: () => null, setItem: () => {}, removeItem: () => {}, [when]: () => { throw new DOMException('no', 'SecurityError'); } };
    const tab = world.tab({}, { localStorage: throwing });
    await tab.manager.signIn({ password: 'right' });
    await world.advance(119 * MINUTE);
    assert.equal(tab.manager.getTokenInfo().generation, 2);
    assert.equal(tab.manager.getTokenInfo().persistent, false);
    assert.equal(tab.said.filter(([level]) => level === 'warn').length, 1);
  });
}

test('a storage that is missing is told to whoever listens once the manager is there', async () => {
  const world = new World();
  const throwing = { getItem: () => { throw new DOMException('no', 'SecurityError'); } };
  const tab = world.tab({}, { localStorage: throwing });
  await settle();
  assert.equal(tab.of('storage-unavailable').length, 1);
});

test('a storage that is not even there to be asked is done without', async () => {
  const world = new World();
  const tab = world.tab();
  Object.defineProperty(tab, 'localStorage', { get: () => { throw new DOMException('no', 'SecurityError'); } });
  await tab.manager.signIn({ password: 'right' });
  assert.equal(tab.manager.isAuthenticated(), true);
});

test('nonsense in the storage is nobody signed in', () => {
  for (const nonsense of ['{', 'null', '7', '[]', '"x"']) {
    const world = new World();
    world.items.set('tokenManager', nonsense);
    assert.equal(world.tab().manager.isAuthenticated(), false);
  }
});

test('tokens that older code has put there are taken over', async () => {
  const { world, manager } = await signedIn();
  await manager.signOut();
  await manager.signIn({ password: 'right' });
  world.items.delete('tokenManager');
  const { manager: later } = world.tab();
  await world.advance(2_000);
  assert.equal(later.getTokenInfo().sessionId, 's2');
});

test('older code that clears the storage signs out', async () => {
  const { world, manager } = await signedIn();
  const other = world.tab();
  other.localStorage.clear();
  await world.advance(1_000);
  assert.equal(manager.isAuthenticated(), false);
});

test('older code that signs out in this tab is noticed', async () => {
  const { world, tab, manager } = await signedIn();
  tab.localStorage.removeItem('accessToken');
  tab.localStorage.removeItem('refreshToken');
  await world.advance(6 * MINUTE);
  assert.equal(manager.isAuthenticated(), false);
});

test('keys that another tab has half written are no other session', async () => {
  const { world, tab, manager } = await signedIn();
  world.items.set('accessToken', 'a.s1.2');
  tab.dispatchEvent(new Event('focus'));
  await settle();
  assert.equal(manager.getTokenInfo().sessionId, 's1');
  assert.equal(manager.getAccessToken(), 'a.s1.1');
  assert.equal(await manager.refreshAccessToken(), true);
});

test('the end of the session is heard on one stream and told to all tabs', async () => {
  const { world, tab } = await signedIn();
  const others = [world.tab(), world.tab()];
  await settle();
  assert.equal(world.count('/sessions/events'), 1);
  world.server.end('s1', 'user_revoked');
  await settle();
  for (const one of [tab, ...others]) {
    assert.deepEqual(one.of('signed-out').map((event) => event.reason), ['user_revoked']);
  }
});

test('the end of a token on the stream is no end of the session', async () => {
  const { world, tab, manager } = await signedIn();
  for (const tell of world.server.sessions.get('s1').streams) tell('expired');
  await settle();
  assert.equal(manager.getTokenInfo().generation, 2);
  assert.equal(tab.of('signed-out').length, 0);
});

test('another tab takes the stream over when the first closes', async () => {
  const { world, tab } = await signedIn();
  const other = world.tab();
  tab.close();
  await world.advance(5_000);
  assert.equal(world.count('/sessions/events'), 2);
  world.server.end('s1', 'admin_revoked');
  await settle();
  assert.deepEqual(other.of('signed-out').map((event) => event.reason), ['admin_revoked']);
});

test('a server without a stream is not asked again', async () => {
  const world = new World();
  world.intercept = ({ path }) => (path === '/sessions/events' ? answer(404, {}) : undefined);
  const { manager } = world.tab();
  await manager.signIn({ password: 'right' });
  await world.advance(30 * MINUTE);
  assert.equal(world.count('/sessions/events'), 1);
});

for (const [name, fault] of Object.entries({ page: () => answer(200, '<html>'), 502: () => answer(502, ''), broken: () => Promise.reject(new TypeError('x')) })) {
  test(`a stream that answers with ${name} is tried ever more slowly`, async () => {
    const world = new World();
    world.intercept = ({ path }) => (path === '/sessions/events' ? fault() : undefined);
    const { manager } = world.tab();
    await manager.signIn({ password: 'right' });
    await world.advance(30 * MINUTE);
    assert.ok(world.count('/sessions/events') < 80, `${world.count('/sessions/events')}`);
    assert.equal(manager.isAuthenticated(), true);
  });
}

test('sessions are listed, named and ended', async () => {
  const { world, tab, manager } = await signedIn();
  assert.equal((await manager.sessions.list('ended'))[0].id, 's1');
  assert.equal(world.requests.at(-1).query, '?state=ended');
  assert.equal(await manager.sessions.revokeOthers(), 3);
  await manager.sessions.rename('s/2', 'Work');
  const { path, method, body } = world.requests.at(-1);
  assert.deepEqual([path, method, body], ['/sessions/s%2F2/name', 'PATCH', { name: 'Work' }]);
  await manager.sessions.revoke('s1');
  assert.equal(manager.isAuthenticated(), false);
  assert.equal(tab.of('signed-out').length, 1);
});

test('what is disposed of does nothing more', async () => {
  const { world, tab, manager } = await signedIn();
  manager.dispose();
  const before = world.requests.length;
  tab.dispatchEvent(new Event('focus'));
  await world.advance(300 * MINUTE);
  assert.equal(world.requests.length, before);
  assert.equal(world.timers.size, 0);
});

test('debug logs what happens, and no token', async () => {
  const world = new World();
  world.items.set('debug', 'true');
  const tab = world.tab();
  await tab.manager.signIn({ password: 'right' });
  await tab.manager.refreshAccessToken();
  const said = JSON.stringify(tab.said);
  assert.ok(said.includes('refreshed'));
  assert.ok(!/[ar]\.s1/.test(said));
});
