/**
 * Where tokens are kept. `cookie`: the script sees none. `hybrid`: the refresh token in a cookie that no script
 * sees, the access token in memory. `storage`: both in `localStorage`, where every script of the origin can read them.
 */
export type Mode = 'cookie' | 'hybrid' | 'storage';

export interface Options {
  /** Defaults to what `<meta name="token-manager" content="…">` says, else `storage`. */
  mode?: Mode;
  /** In front of every path, as `https://api.example`; the constructor throws unless its origin is in `origins`. */
  base?: string;
  /** Other origins that may receive tokens. */
  origins?: string[];
  /** Whether the end of the session is heard of over a stream. Defaults to true. */
  live?: boolean;
  /** Milliseconds between two looks at the expiry, at most. Defaults to 5 minutes. */
  check?: number;
  /** Milliseconds before the expiry at which to refresh, at most half the lifetime. Defaults to 15 minutes. */
  margin?: number;
  /**
   * Milliseconds until an answer is given up. Defaults to what `data-timeout` of the `<meta>` says, else 8 s; half
   * of the server's grace leaves time for asking again.
   */
  timeout?: number;
  /**
   * For a server without a grace, where a refresh that is repeated looks like theft: nobody asks unasked again after
   * an answer that was lost. Defaults to whether the `<meta>` has `data-strict`.
   */
  strict?: boolean;
  paths?: Partial<Record<'login' | 'logout' | 'refresh' | 'sessions' | 'stats', string>>;
}

export interface TokenInfo {
  authenticated: boolean;
  mode: Mode;
  sessionId: string | null;
  generation: number | null;
  /** Milliseconds since 1970, by this device's clock; `null` where nobody knows it. */
  expiresAt: number | null;
  needsRefresh: boolean;
  /** Refreshes that failed in a row. */
  failures: number;
  /** Whether the session survives the page. */
  persistent: boolean;
}

export interface SessionInfo {
  id: string;
  user_id: string;
  device: string;
  ip_address: string | null;
  user_agent: string | null;
  country: string | null;
  city: string | null;
  last_active: string;
  created_at: string;
  is_current: boolean;
  name: string | null;
  ended_at?: string;
  ended_reason?: string;
}

export interface SessionStats {
  userId: string;
  activeSessions: number;
  maxSessions: number | null;
  oldestSession: string | null;
  newestSession: string | null;
  totalRefreshes: number;
  devices: string[];
}

/** What the server said. `status` is 0 where nothing came back. */
export interface ServerError extends Error {
  status: number;
  code?: string;
}

export interface TokenManagerEventMap {
  /** Somebody signed in or out, or the tokens are new: for navigation bars. */
  change: CustomEvent<{ authenticated: boolean }>;
  refreshed: CustomEvent<{ generation: number }>;
  /** The session goes on; the next attempt is in `retryIn` milliseconds, and `null` where nobody makes one unasked. */
  'refresh-failed': CustomEvent<{
    kind: 'malformed' | 'network' | 'status' | 'timeout';
    status: number;
    code?: string;
    retryIn: number | null;
  }>;
  'signed-in': CustomEvent<{ sessionId: string }>;
  /**
   * `reason` is the server's: `user_revoked`, `refresh_reused`, …; `signed_out` by the user. A refusal that names none
   * gives its code: `invalid_token`, `missing_token`, ….
   */
  'signed-out': CustomEvent<{ reason: string; message?: string; sessionId: string }>;
  /** Forgotten here, and perhaps alive on the server. */
  'sign-out-unconfirmed': CustomEvent<{ status: number; kind: string }>;
  /** Tokens are kept in memory, for this page. */
  'storage-unavailable': CustomEvent<undefined>;
}

/**
 * Keeps a browser signed in: refreshes in time, shares with other tabs, and never takes a failure for a refusal.
 *
 * Only an answer of the server that says so ends a session. Any number of tabs may refresh at once.
 */
export class TokenManager extends EventTarget {
  constructor(options?: Options, global?: typeof globalThis);

  /** Makes one and puts it at `window.tokenManager`, beside `window.TokenManager` and `window.getToken`. */
  static install(options?: Options, global?: typeof globalThis): TokenManager;

  readonly sessions: {
    list(state?: 'ended' | 'live'): Promise<SessionInfo[]>;
    revoke(id: string): Promise<void>;
    /** Ends all others; resolves to how many. */
    revokeOthers(): Promise<number>;
    rename(id: string, name: string | null): Promise<SessionInfo>;
  };

  isAuthenticated(): boolean;
  /** `null` in the mode `cookie`, and where nobody is signed in. */
  getAccessToken(): string | null;
  getTokenInfo(): TokenInfo;
  /** Rejects with a {@link ServerError}, as `sessions` does, also where a page came instead of an answer. */
  getSessionStats(): Promise<SessionStats>;

  /** Rejects with a {@link ServerError}. A lost answer is asked for again, and makes no second session. */
  signIn(credentials: Record<string, unknown>): Promise<void>;
  /** Signs out here at once, in all tabs; resolves to whether the server has confirmed it. */
  signOut(): Promise<boolean>;
  /** Refreshes now, or joins the refresh on its way; resolves to whether the tokens are new. Never rejects. */
  refreshAccessToken(): Promise<boolean>;

  /**
   * `fetch` in the name of the session: refreshed first where the token has expired, and repeated once where it was
   * refused and the body can be sent again. Rejects with a `TypeError` for an origin that is not listed.
   */
  makeAuthenticatedRequest(url: string | URL | Request, init?: RequestInit): Promise<Response>;

  /** Stops timers, listeners and the stream. The session goes on. */
  dispose(): void;

  addEventListener<K extends keyof TokenManagerEventMap>(
    type: K,
    listener: (event: TokenManagerEventMap[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof TokenManagerEventMap>(
    type: K,
    listener: (event: TokenManagerEventMap[K]) => void,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
}

declare global {
  interface Window {
    tokenManager: TokenManager;
    TokenManager: typeof TokenManager;
    getToken(): string | null;
  }
}
