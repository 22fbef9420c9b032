// What it does: token-manager.d.ts; why: rules B1 and on of docs/protocol.md.

const SHARED = 'tokenManager';
const PATHS = {
  login: '/api/auth/login',
  logout: '/api/auth/logout',
  refresh: '/api/auth/refresh',
  sessions: '/sessions',
  stats: '/api/token/session-stats/',
};
const DEFAULTS = { base: '', origins: [], live: true, check: 300_000, margin: 900_000, timeout: 8_000 };
const UNKNOWN = 1e15;
const REFUSED = /^((invalid|malformed|missing)_token|refresh_reused|token_(expired|revoked))$/;
const RENEWABLE = /^(invalid_token|token_(expired|revoked|stale))$/;
const PASSING = /^(expired|replaced|roles_changed|unconfirmed)$/;

const problem = ({ status, data, kind }) => Object.assign(new Error(data?.detail ?? kind), { status, code: data?.code ?? kind });

const differs = (a, b) => a?.generation !== b?.generation || a?.receivedAt !== b?.receivedAt;

export class TokenManager extends EventTarget {
  #global;
  #options;
  #state = null;
  #epoch = 0;
  #over = new Set();
  #flight;
  #leave;
  #timer;
  #waiting = false;
  #failures = 0;
  #memory;
  #channel;
  #stream;
  #disposed = new AbortController();

  constructor(options, global = globalThis) {
    super();
    this.#global = global;
    const page = global.document?.querySelector('meta[name="token-manager"]');
    const paths = { ...PATHS, ...options?.paths };
    const { mode } = (this.#options = { ...DEFAULTS, mode: page?.content || 'storage', ...page?.dataset, ...options, paths });
    if (mode === 'storage') global.console.info('token-manager: any script can read localStorage');
    const one = (id, rest = '') => `${paths.sessions}/${encodeURIComponent(id)}${rest}`;
    this.sessions = {
      list: (state = 'live') => this.#json(`${paths.sessions}?state=${state}`),
      revoke: async (id) => {
        await this.#json(one(id), 'DELETE');
        if (id === this.#state?.sessionId) this.#end('signed_out');
      },
      revokeOthers: async () => (await this.#json(one('revoke-all', '?keep_current=true'), 'POST')).revoked,
      rename: (id, name) => this.#json(one(id, '/name'), 'PATCH', { name }),
    };
    const on = (target, types, listener) => {
      for (const type of types) target?.addEventListener?.(type, listener, { signal: this.#disposed.signal, capture: true });
    };
    if (this.#options.base) this.#isForeign(this.#options.base);
    if (global.BroadcastChannel) this.#channel = new global.BroadcastChannel(SHARED);
    on(this.#channel, ['message'], ({ data: { state, end, reason, message } }) => {
      if (state) this.#adopt(state);
      else if (end === this.#state?.sessionId) this.#end(reason, message, false);
    });
    on(global, ['storage'], ({ key, newValue }) => {
      if (key && key !== SHARED && (key !== 'accessToken' || newValue)) return;
      const kept = () => this.#item(mode === 'storage' ? 'accessToken' : SHARED);
      if (kept() || !(key || mode === 'storage')) return this.#adopt(this.#load());
      global.setTimeout(() => kept() ?? this.#end('signed_out', '', false), 500);
    });
    on(global, ['focus', 'online', 'pageshow', 'resume', 'visibilitychange'], ({ type, persisted }) => {
      if (type === 'online') this.#waiting = false;
      if (persisted || /online|resume/.test(type)) this.#follow();
      this.#check();
    });
    on(global, ['freeze', 'pagehide'], () => {
      this.#stream?.abort();
      this.#options.strict || this.#leave?.();
    });
    const { session, generation, expiresIn } = page?.dataset ?? {};
    if (session) {
      this.#adopt({ sessionId: session, generation: +generation, receivedAt: this.#now(), expiresIn: expiresIn * 1000 }, true);
    } else this.#adopt(this.#load());
  }

  static install(options, global = globalThis) {
    const tokenManager = new TokenManager(options, global);
    Object.assign(global, { TokenManager, tokenManager, getToken: () => tokenManager.getAccessToken() });
    return tokenManager;
  }

  isAuthenticated() {
    return !!this.#state;
  }

  getAccessToken() {
    return this.#state?.accessToken ?? null;
  }

  getTokenInfo() {
    const { sessionId = null, generation = null, receivedAt, expiresIn } = this.#state ?? {};
    return {
      authenticated: !!this.#state,
      mode: this.#options.mode,
      sessionId,
      generation,
      expiresAt: expiresIn < UNKNOWN ? receivedAt + expiresIn : null,
      needsRefresh: this.#isDue(),
      failures: this.#failures,
      persistent: !this.#memory,
    };
  }

  async getSessionStats() {
    const user = (await this.sessions.list())[0]?.user_id;
    return (await this.#json(this.#options.paths.stats + encodeURIComponent(user))).data;
  }

  async signIn(credentials) {
    const { mode, paths } = this.#options;
    const epoch = ++this.#epoch;
    const key = this.#global.crypto.getRandomValues(new Uint32Array(4)).join();
    const body = mode === 'storage' ? credentials : { ...credentials, transport: mode };
    const answer = await this.#insist(paths.login, { headers: { 'idempotency-key': key }, body });
    const tokens = this.#tokens(answer);
    if (!tokens || epoch !== this.#epoch) throw problem(answer);
    this.#state = null;
    this.#adopt(tokens, true);
    this.#emit('signed-in', { sessionId: tokens.sessionId });
  }

  async signOut() {
    const state = this.#state;
    this.#epoch++;
    this.#end('signed_out');
    const body = state?.accessToken ? null : state?.refreshToken && { refresh_token: state.refreshToken };
    const answer = await this.#insist(this.#options.paths.logout, { keepalive: true, headers: this.#bearer(state), body });
    const confirmed = answer.status === 204 || REFUSED.test(answer.data?.code);
    if (!confirmed) this.#emit('sign-out-unconfirmed', answer);
    return confirmed;
  }

  refreshAccessToken() {
    return (this.#flight ??= this.#refresh().finally(() => {
      this.#flight = null;
      this.#schedule();
    }));
  }

  async makeAuthenticatedRequest(url, init = {}) {
    const { fetch } = this.#global;
    const request = url?.url && url;
    const foreign = this.#isForeign(url.url ?? url);
    if (this.#state && this.#dueIn(0) <= 0) await this.#renew();
    const used = this.#state;
    const send = () => {
      const headers = new Headers(init.headers ?? request?.headers);
      const { authorization } = this.#bearer();
      if (authorization) headers.set('authorization', authorization);
      return fetch(url, { ...(foreign && this.#options.mode === 'cookie' && { credentials: 'include' }), ...init, headers });
    };
    const response = await send();
    if (response.status !== 401 || !used) return response;
    const challenge = response.headers.get('www-authenticate');
    const refused = challenge?.includes('error="invalid_token"') || RENEWABLE.test((await parsed(response.clone()))?.code);
    if (!refused) return response;
    const renewed = differs(this.#state, used) || (await this.#renew());
    const replayable = !(init.body instanceof ReadableStream) && !request?.body;
    return renewed && this.#state && replayable ? send() : response;
  }

  dispose() {
    this.#disposed.abort();
    this.#stream?.abort();
    this.#global.clearTimeout(this.#timer);
    this.#channel?.close();
    this.#channel = null;
  }

  #renew() {
    return !this.#waiting && this.#state?.expiresIn !== UNKNOWN && this.refreshAccessToken();
  }

  async #refresh() {
    const { mode, paths } = this.#options;
    const epoch = this.#epoch;
    const before = this.#state;
    return this.#locked(async () => {
      this.#adopt(this.#load());
      const state = this.#state;
      if (epoch !== this.#epoch || (mode === 'storage' && !state?.refreshToken)) return false;
      if (differs(state, before) && !this.#isDue()) return true;
      const answer = await this.#call(paths.refresh, { body: state?.refreshToken && { refresh_token: state.refreshToken } });
      const tokens = this.#tokens(answer);
      this.#adopt(this.#load());
      if (epoch !== this.#epoch) return false;
      if (tokens) {
        this.#adopt(tokens, true);
        this.#emit('refreshed', { generation: this.#state?.generation });
        return !!this.#state;
      }
      const { status, data } = answer;
      if (status !== 401 || !REFUSED.test(data?.code)) return this.#failed(answer);
      if (differs(this.#state, state)) return true;
      this.#end(data.reason ?? data.code, data.detail);
      return false;
    });
  }

  async #locked(work) {
    const { locks } = this.#global.navigator;
    const before = this.#state;
    const left = new Promise((leave) => (this.#leave = leave));
    for (let tries = 0; ; tries++) {
      let begun;
      await locks?.request(SHARED + (tries >> 5), { ifAvailable: true }, (lock) => lock && Promise.race([left, (begun = work())])).catch(() => (tries = 99));
      if (begun || !locks || tries > 95 || (differs(this.#state, before) && !this.#isDue())) return begun ?? work();
      await this.#sleep(0);
    }
  }

  #isForeign(url) {
    const { location } = this.#global;
    const { origin } = new URL(url, location.href);
    const foreign = origin !== location.origin;
    if (foreign && !this.#options.origins.includes(origin)) throw new TypeError(`not in origins: ${origin}`);
    return foreign;
  }

  #fetch(path, init) {
    const { base, mode } = this.#options;
    const credentials = base && mode !== 'storage' ? 'include' : 'same-origin';
    return this.#global.fetch(base + path, { cache: 'no-store', redirect: 'error', credentials, ...init });
  }

  async #call(path, { headers, body, keepalive }) {
    const { setTimeout, clearTimeout } = this.#global;
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), +this.#options.timeout);
    try {
      return await read(await this.#fetch(path, { method: 'POST', keepalive, signal: abort.signal, ...json(body, headers) }));
    } catch {
      return { status: 0, kind: abort.signal.aborted ? 'timeout' : 'network' };
    } finally {
      clearTimeout(timer);
    }
  }

  async #insist(path, init) {
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#call(path, init);
      if ((answer.status && answer.status < 500) || attempt === 3 || answer.after > 30) return answer;
      await this.#sleep(attempt, answer.after);
    }
  }

  #tokens({ status, data }) {
    const told = data?.data ?? data;
    const expiresIn = told?.expires_in * 1000 || told?.expiresIn;
    const accessToken = told?.access_token ?? told?.accessToken;
    if (status >= 300 || !(expiresIn > 0) || !(accessToken || this.#options.mode === 'cookie')) return null;
    return {
      sessionId: told.session_id ?? told.sessionId,
      generation: told.generation ?? 0,
      receivedAt: this.#now(),
      expiresIn,
      accessToken,
      refreshToken: told.refresh_token ?? told.refreshToken,
    };
  }

  #adopt(next, own) {
    const state = this.#state;
    if (!next || this.#over.has(next.sessionId)) return;
    const same = state?.sessionId === next.sessionId;
    if (same && (next.generation < state.generation || (!own && !differs(next, state)))) return;
    if (state && !same) this.#epoch++;
    this.#state = { ...next, refreshToken: next.refreshToken ?? (same ? state.refreshToken : undefined) };
    this.#failures = 0;
    this.#waiting = false;
    if (own) this.#save();
    this.#schedule();
    if (!same) this.#follow();
    this.#emit('change', { authenticated: true });
  }

  #end(reason, message, own = true) {
    const { sessionId } = this.#state ?? {};
    if (!this.#state) return;
    this.#epoch++;
    if (sessionId) this.#over.add(sessionId);
    this.#state = null;
    this.#waiting = false;
    if (own) this.#channel?.postMessage({ end: sessionId, reason, message });
    this.#stream?.abort();
    this.#global.clearTimeout(this.#timer);
    for (const key of [SHARED, 'accessToken', 'refreshToken']) this.#item(key, null);
    this.#emit('signed-out', { reason, message, sessionId });
    this.#emit('change', { authenticated: false });
  }

  #failed({ status, data, kind, after }) {
    const code = data?.code;
    let retryIn = this.#delay(++this.#failures, after);
    if (this.#options.strict && !code && this.#state) {
      retryIn = null;
      this.#adopt({ ...this.#state, receivedAt: this.#now(), expiresIn: UNKNOWN }, true);
    } else {
      this.#waiting = true;
      this.#wait(retryIn);
    }
    this.#emit('refresh-failed', { kind, status, code, retryIn });
    return false;
  }

  #delay(failures, after) {
    const asked = after * 1000 || Date.parse(after) - this.#now() || 0;
    return Math.max(Math.min(asked, 3_600_000), Math.min(60_000, 500 * 2 ** failures) * (0.5 + Math.random() / 2));
  }

  #dueIn(share = 1) {
    const { receivedAt, expiresIn } = this.#state;
    const elapsed = this.#now() - receivedAt;
    return elapsed < 0 ? 0 : expiresIn - elapsed - Math.min(this.#options.margin, expiresIn / 2) * share;
  }

  #isDue() {
    return !!this.#state && (this.#failures > 0 || this.#dueIn() <= 0);
  }

  #schedule() {
    if (!this.#state || this.#waiting) return;
    this.#wait(Math.min(Math.max(this.#dueIn(1 - Math.random() / 10), 1000), this.#options.check));
  }

  #wait(delay) {
    const { setTimeout, clearTimeout } = this.#global;
    clearTimeout(this.#timer);
    if (this.#disposed.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#waiting = false;
      this.#check();
    }, delay);
  }

  #check() {
    if (this.#waiting || this.#flight) return;
    const stored = this.#load();
    this.#adopt(stored);
    if (!stored && this.#options.mode === 'storage') this.#end('signed_out');
    else if (this.#global.navigator?.onLine === false) this.#wait(this.#options.check);
    else if (this.#isDue()) this.refreshAccessToken();
    else this.#schedule();
  }

  #follow() {
    const locks = this.#global.navigator?.locks;
    this.#stream?.abort();
    if (!this.#options.live || !locks || !this.#state) return;
    const { signal } = (this.#stream = new AbortController());
    const left = new Promise((leave) => (signal.onabort = leave));
    locks.request(SHARED, { signal }, () => Promise.race([left, this.#read(signal)])).catch(() => {});
  }

  async #read(signal) {
    const { setTimeout, clearTimeout } = this.#global;
    for (let failures = 1; !signal.aborted; failures++) {
      let timer, after;
      const heard = () => {
        clearTimeout(timer);
        timer = setTimeout(() => this.#follow(), 45_000);
      };
      try {
        heard();
        const headers = { accept: 'text/event-stream', ...this.#bearer() };
        const response = await this.#fetch(`${this.#options.paths.sessions}/events`, { headers, signal });
        after = response.headers.get('retry-after');
        if (response.ok && /event-stream/.test(response.headers.get('content-type'))) {
          failures = 1;
          await this.#events(response.body.pipeThrough(new TextDecoderStream()).getReader(), heard);
        } else if (response.status === 401) await this.#renew();
        else if (!response.ok && response.status < 429) return;
      } catch {
      } finally {
        clearTimeout(timer);
      }
      if (!signal.aborted) await this.#sleep(failures, after);
    }
  }

  async #events(reader, heard) {
    for (let text = ''; ; ) {
      const { value, done } = await reader.read();
      if (done) return;
      heard();
      const lines = (text + value).split('\n');
      text = lines.pop();
      for (const line of lines) {
        const { reason, detail } = line.startsWith('data:') ? JSON.parse(line.slice(5)) : {};
        if (PASSING.test(reason)) await this.#renew();
        else if (reason) this.#end(reason, detail);
      }
    }
  }

  async #json(path, method, body) {
    const response = await this.makeAuthenticatedRequest(this.#options.base + path, { method, ...json(body) });
    const answer = await read(response);
    if (!response.ok || (!answer.data && answer.status !== 204)) throw problem(answer);
    return answer.data;
  }

  #bearer(state = this.#state) {
    return state?.accessToken ? { authorization: `Bearer ${state.accessToken}` } : {};
  }

  #load() {
    const { mode } = this.#options;
    const [accessToken, refreshToken] = ['accessToken', 'refreshToken'].map((key) => this.#item(key));
    let state;
    try {
      state = JSON.parse(this.#item(SHARED));
    } catch {}
    const unknown = { generation: 0, receivedAt: 1, expiresIn: mode === 'storage' && !refreshToken ? UNKNOWN : 1 };
    if (mode === 'cookie') return state;
    if (mode === 'hybrid') return this.#state ? null : state && { ...state, ...unknown };
    if (!accessToken && !refreshToken) return null;
    const known = state && (state.accessToken === accessToken || state.sessionId === this.#state?.sessionId);
    return known ? state : { ...unknown, sessionId: '', accessToken, refreshToken };
  }

  #save() {
    const { refreshToken, ...told } = this.#state;
    const { accessToken, ...safe } = told;
    const storage = this.#options.mode === 'storage';
    if (storage) {
      this.#item('accessToken', accessToken);
      this.#item('refreshToken', refreshToken ?? null);
    }
    this.#item(SHARED, JSON.stringify(storage ? this.#state : safe));
    this.#channel?.postMessage({ state: storage ? this.#state : told });
  }

  #item(key, value) {
    if (!this.#memory) {
      try {
        const { localStorage } = this.#global;
        if (value === undefined) return localStorage.getItem(key);
        return value === null ? localStorage.removeItem(key) : localStorage.setItem(key, value);
      } catch {
        this.#memory = new Map();
        this.#global.console.warn('token-manager: no storage, signed in on this page only');
        queueMicrotask(() => this.#emit('storage-unavailable'));
      }
    }
    if (value !== undefined) this.#memory.set(key, value);
    return this.#memory.get(key) ?? null;
  }

  #emit(type, detail) {
    if (this.#item('debug') === 'true') this.#global.console.debug('token-manager:', type, detail);
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #now() {
    return this.#global.Date.now();
  }

  #sleep(failures, after) {
    return new Promise((wake) => this.#global.setTimeout(wake, this.#delay(failures, after)));
  }
}

const parsed = (response) => response.json().catch(() => null);

const read = async (response) => ({
  status: response.status,
  data: await parsed(response),
  kind: response.ok ? 'malformed' : 'status',
  after: response.headers.get('retry-after'),
});

const json = (body, headers) => ({
  headers: body ? { 'content-type': 'application/json', ...headers } : headers,
  body: body && JSON.stringify(body),
});

if (globalThis.document?.querySelector('meta[name="token-manager"]')) TokenManager.install();
