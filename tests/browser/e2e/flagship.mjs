// The example as a process, a browser, and what tests do with both.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { chromium, firefox } from 'playwright-core';

import './bidi.mjs';

export const ADMIN = 'admin@example.com';
export const PASSWORD = 'correct horse battery';

const built = (example) => fileURLToPath(new URL(`../../../target/debug/examples/${example}`, import.meta.url));
export const FLAGSHIP = process.env.FLAGSHIP ?? built('axum');
const CHROMIUM = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const FIREFOX = process.env.FIREFOX ?? ['/usr/bin/firefox-esr', '/usr/bin/firefox'].find(existsSync);
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** Starts the flagship, or another example by its name, on a port of its own; `stop` ends it. */
export const start = async (variables = {}, example) => {
  const env = {
    LISTEN_ADDR: '127.0.0.1:0',
    SESSION_STORE: 'memory:',
    ADMIN_PASSWORD: PASSWORD,
    // However busy the machine is, and however many tests sign in: an answer late is no other answer.
    STORE_TIMEOUT: '20s',
    RATE_LIMIT_MAX_REQUESTS: '0',
    ...variables,
  };
  const child = spawn(example ? built(example) : FLAGSHIP, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const address = await new Promise((found, failed) => {
    child.once('error', failed);
    child.once('exit', (code) => failed(new Error(`the example ended with ${code}`)));
    lines.on('line', (line) => line.startsWith('listening on ') && found(line.slice(13)));
  });
  const ended = new Promise((end) => child.once('exit', end));
  return {
    address,
    stop: () => {
      child.kill('SIGKILL');
      return ended;
    },
    register: (email) =>
      fetch(`${address}/api/auth/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email, password: PASSWORD }),
      }),
    /** Another device of theirs, without a browser; answers its tokens. */
    device: async (email, userAgent = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36') => {
      const response = await fetch(`${address}/api/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': userAgent },
        body: JSON.stringify({ email, password: PASSWORD }),
      });
      return response.json();
    },
    rename: ({ session_id, access_token }, name) =>
      fetch(`${address}/sessions/${session_id}/name`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${access_token}` },
        body: JSON.stringify({ name }),
      }),
  };
};

/** Which browser the tests are for: `chromium`, unless BROWSER says `firefox`. */
export const BROWSER = process.env.BROWSER ?? 'chromium';

/** For what no browser does differently: a test in Chromium, and with EVERYTHING set in the other too. */
export const once = BROWSER === 'chromium' || process.env.EVERYTHING ? test : () => {};

/** What the device list calls this browser. */
export const DEVICE = BROWSER === 'firefox' ? 'Firefox on Linux' : 'Chromium on Linux';

/** Starts the browser. Whether its pages are dark is asked here: Firefox is told when it starts. */
export const launch = ({ dark = false } = {}) =>
  BROWSER === 'firefox'
    ? firefox.launch({
        // Over WebDriver BiDi, which a Firefox as it is distributed speaks.
        channel: 'moz-firefox',
        executablePath: FIREFOX,
        firefoxUserPrefs: { 'layout.css.prefers-color-scheme.content-override': dark ? 0 : 1 },
      })
    : chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });

/** A window with cookies of its own; whatever it says on the console or throws is kept in `said`. */
export const open = async (browser, options = {}) => {
  const context = await browser.newContext({ locale: 'en-GB', ...options });
  const page = await context.newPage();
  page.said = [];
  page.foreign = [];
  page.on('pageerror', (error) => page.said.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && page.said.push(message.text()));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol !== 'data:' && url.hostname !== '127.0.0.1') page.foreign.push(request.url());
  });
  return page;
};

export const signIn = async (page, { address }, email = ADMIN) => {
  await page.goto(`${address}/sign-in`);
  await page.fill('#email', email);
  await page.fill('#password', PASSWORD);
  await Promise.all([page.waitForURL('**/devices'), page.press('#password', 'Enter')]);
};
