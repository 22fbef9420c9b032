// A browser with several tabs, a server and a clock to hold, all made of plain objects.

import { TokenManager } from '../../../src/browser/assets/token-manager.js';

const ORIGIN = 'https://app.example';

/** Lets everything run that waits for no timer. */
export const settle = async () => {
  for (let turn = 0; turn < 60; turn++) await Promise.resolve();
  await new Promise((wake) => setImmediate(wake));
};

export class World {
  now = Date.UTC(2030, 0, 1);
  skew = 0;
  timers = new Map();
  nextTimer = 1;
  items = new Map();
  tabs = [];
  locks = new Map();
  requests = [];
  server = new Server(this);
  /** Takes a request instead of the server where it answers something. */
  intercept = () => undefined;

  tab(options = {}, changes = {}) {
    const tab = new Tab(this, changes);
    tab.manager = new TokenManager(options, tab);
    for (const type of TYPES) tab.manager.addEventListener(type, ({ detail }) => tab.heard.push({ type, ...detail }));
    return tab;
  }

  /** Moves the clock on, timer by timer. */
  async advance(ms) {
    const until = this.now + ms;
    await settle();
    for (;;) {
      const due = [...this.timers].filter(([, { at }]) => at <= until).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      this.timers.delete(due[0]);
      this.now = Math.max(this.now, due[1].at);
      due[1].work();
      await settle();
    }
    this.now = until;
    await settle();
  }

  count(path) {
    return this.requests.filter((request) => request.path === path).length;
  }
}

/** Somebody who has just signed in, in one tab. */
export const signedIn = async (options, changes, mode = 'storage') => {
  const world = new World();
  world.server.mode = mode;
  const tab = world.tab({ mode, ...options }, changes);
  await tab.manager.signIn({ email: 'ada@example.com', password: 'right' });
  await settle();
  return { world, tab, manager: tab.manager };
};

const TYPES = ['signed-in', 'signed-out', 'refreshed', 'refresh-failed', 'storage-unavailable', 'sign-out-unconfirmed'];

class Tab extends EventTarget {
  heard = [];
  closed = false;
  gone = new Promise((leave) => { this.leave = leave; });
  said = [];

  constructor(world, changes) {
    super();
    this.world = world;
    this.location = new URL(ORIGIN);
    this.document = Object.assign(new EventTarget(), { querySelector: () => null });
    // As in a document: what happens to it passes the window first.
    this.document.dispatchEvent = (event) => this.dispatchEvent(event);
    this.crypto = globalThis.crypto;
    this.console = Object.fromEntries(['info', 'warn', 'debug'].map((level) => [level, (...what) => this.said.push([level, ...what])]));
    this.Date = Object.assign(Object.create(Date), { now: () => world.now + world.skew, parse: Date.parse });
    this.setTimeout = (work, delay) => {
      const id = world.nextTimer++;
      world.timers.set(id, { at: world.now + delay, work });
      return id;
    };
    this.clearTimeout = (id) => world.timers.delete(id);
    this.navigator = { onLine: true, locks: locksOf(this) };
    this.localStorage = storageOf(this);
    const tab = this;
    this.BroadcastChannel = class extends EventTarget {
      constructor() {
        super();
        tab.channel = this;
      }
      postMessage(data) {
        for (const other of world.tabs) {
          if (other !== tab && other.channel) queueMicrotask(() => other.channel?.dispatchEvent(new MessageEvent('message', { data })));
        }
      }
      close() {
        tab.channel = null;
      }
    };
    this.fetch = (url, init = {}) => fetched(world, this, url, init);
    Object.assign(this, changes);
    world.tabs.push(this);
  }

  of(type) {
    return this.heard.filter((event) => event.type === type);
  }

  /** As a browser closes it: nothing of it runs on, and its locks are free. */
  close() {
    this.closed = true;
    this.leave();
    this.manager.dispose();
    this.world.tabs.splice(this.world.tabs.indexOf(this), 1);
  }
}

const storageOf = (tab) => {
  const { items, tabs } = tab.world;
  const changed = (key, newValue) => {
    for (const other of tabs) {
      if (other !== tab) queueMicrotask(() => other.dispatchEvent(Object.assign(new Event('storage'), { key, newValue })));
    }
  };
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => {
      items.set(key, String(value));
      changed(key, String(value));
    },
    removeItem: (key) => items.delete(key) && changed(key, null),
    clear: () => {
      items.clear();
      changed(null, null);
    },
  };
};

// A lock that is held stays so until its work is done or its tab is closed; a frozen tab keeps it.
const locksOf = (tab) => ({
  async request(name, { signal, ifAvailable }, work) {
    const { world, gone } = tab;
    if (ifAvailable && world.locks.has(name)) return work(null);
    const before = world.locks.get(name) ?? Promise.resolve();
    const aborted = new Promise((_, reject) => {
      const abort = () => reject(new DOMException('aborted', 'AbortError'));
      if (signal?.aborted) abort();
      signal?.addEventListener('abort', abort);
    });
    aborted.catch(() => {});
    let begun;
    const mine = before.then(() => (signal?.aborted ? undefined : (begun = work({ name }))));
    const held = Promise.race([mine.catch(() => {}), before.then(() => gone)]);
    world.locks.set(name, held);
    held.then(() => world.locks.get(name) === held && world.locks.delete(name));
    return Promise.race([mine, aborted.catch((error) => (begun ? mine : Promise.reject(error)))]);
  },
});

const fetched = async (world, tab, url, init) => {
  const given = typeof url === 'object' && url.url ? url : null;
  const target = new URL(given?.url ?? url, ORIGIN);
  const request = {
    tab,
    init,
    method: init.method ?? given?.method ?? 'GET',
    origin: target.origin,
    path: target.pathname,
    query: target.search,
    headers: new Headers(init.headers),
    body: typeof init.body === 'string' ? JSON.parse(init.body) : undefined,
  };
  world.requests.push(request);
  const signal = init.signal;
  const called = Promise.resolve(world.intercept(request)).then((answer) => answer ?? world.server.answer(request));
  const aborted = new Promise((_, reject) =>
    signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError'))),
  );
  return Promise.race([called, aborted]).then((reply) => (tab.closed ? never() : reply));
};

export const answer = (status, body, headers = {}) =>
  new Response(body === null ? null : typeof body === 'string' ? body : JSON.stringify(body), {
    status,
    headers: { 'content-type': typeof body === 'string' ? 'text/html' : 'application/json', ...headers },
  });

export const refused = (code, reason) =>
  answer(401, { code, reason, detail: `told: ${code}` }, { 'www-authenticate': 'Bearer error="invalid_token"' });

/** Answers nothing, until the caller gives up. */
export const never = () => new Promise(() => {});

/** As much of the rotation as a client can notice. */
export class Server {
  lifetime = 7_200_000;
  grace = 30_000;
  sessions = new Map();
  mode = 'storage';
  cookie = null;
  /** Says nothing on its streams any more. */
  silent = false;

  constructor(world) {
    this.world = world;
  }

  answer({ path, method, headers, body, init }) {
    const token = headers.get('authorization')?.slice(7);
    if (path === '/api/auth/login') return this.signIn(body, headers);
    if (path === '/api/auth/refresh') return this.refresh(body?.refresh_token ?? this.cookie);
    if (path === '/api/auth/logout') return this.signOut(token ?? body?.refresh_token ?? this.cookie);
    if (path === '/sessions/events') return this.stream(token, init.signal);
    const session = this.find(token ?? this.access);
    if (!session) return refused('token_revoked');
    if (this.world.now >= session.exp) return refused('token_expired');
    session.used = true;
    if (path === '/sessions' && method === 'GET') return answer(200, [{ id: session.id, user_id: 'u/1' }]);
    if (path.startsWith('/api/token/session-stats/')) return answer(200, { success: true, data: { userId: path.slice(25) } });
    if (path === '/sessions/revoke-all') return answer(200, { revoked: 3 });
    if (method === 'DELETE') return this.end(path.slice(10), 'user_revoked') ?? answer(204, null);
    return answer(200, { echo: body ?? null, authorization: headers.get('authorization') });
  }

  signIn({ password }, headers) {
    if (password === 'wrong') return answer(401, { code: 'invalid_credentials', detail: 'no' });
    const key = headers.get('idempotency-key');
    let session = [...this.sessions.values()].find((one) => one.key === key);
    if (!session) {
      const id = `s${this.sessions.size + 1}`;
      session = { id, key, n: 1, at: this.world.now, used: false, exp: this.world.now + this.lifetime, streams: new Set() };
      this.sessions.set(id, session);
    }
    return this.pair(session);
  }

  refresh(token) {
    if (!token) return refused('missing_token');
    const [, id, n] = token.split('.');
    const session = this.sessions.get(id);
    if (!session || session.ended) return refused('invalid_token', session?.ended);
    const { now } = this.world;
    const within = now < session.at + this.grace;
    if (+n === session.n && session.n > 1 && now < session.at + 2 * this.grace) session.used = true;
    else if (+n === session.n || (+n === session.n - 1 && !within && !session.used)) {
      Object.assign(session, { n: session.n + 1, at: now, used: false, exp: now + this.lifetime });
    } else if (+n !== session.n - 1 || !within) {
      this.end(id, 'refresh_reused');
      return refused('refresh_reused');
    }
    return this.pair(session);
  }

  signOut(token) {
    const session = this.find(token) ?? this.sessions.get(token?.split('.')[1]);
    if (session) this.end(session.id, 'signed_out');
    this.cookie = this.access = null;
    return answer(204, null);
  }

  end(id, reason) {
    const session = this.sessions.get(id);
    if (!session || session.ended) return;
    session.ended = reason;
    for (const tell of session.streams) tell(reason);
  }

  find(token) {
    const session = this.sessions.get(token?.split('.')[1]);
    return session?.ended ? undefined : session;
  }

  stream(token, signal) {
    const session = this.find(token ?? this.access);
    if (!session) return refused('token_revoked');
    const { timers } = this.world;
    const body = new ReadableStream({
      start: (controller) => {
        const say = (text) => controller.enqueue(new TextEncoder().encode(text));
        const tell = (reason) => say(`event: ended\ndata: {"reason":"${reason}"}\n\n`);
        const id = this.world.nextTimer++;
        const beat = () => {
          timers.set(id, { at: this.world.now + 15_000, work: beat });
          if (!this.silent) say(':\n\n');
        };
        beat();
        session.streams.add(tell);
        signal.addEventListener('abort', () => {
          timers.delete(id);
          session.streams.delete(tell);
          controller.error(signal.reason);
        });
      },
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  }

  pair({ id, n, exp }) {
    const told = { expires_in: (exp - this.world.now) / 1000, session_id: id, generation: n, token_type: 'Bearer' };
    this.access = `a.${id}.${n}`;
    this.cookie = `r.${id}.${n}`;
    if (this.mode !== 'cookie') told.access_token = this.access;
    if (this.mode === 'storage') told.refresh_token = this.cookie;
    return answer(200, told);
  }
}
