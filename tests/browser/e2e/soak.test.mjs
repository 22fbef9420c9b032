// Tabs for a while over a bad network, with clocks that jump, and tabs that are closed and frozen:
// nobody is signed out, and how often they refresh is bounded.
//
// SOAK_SECONDS is how long (20), with eight tabs; from 300 on there are twenty and the network is as
// slow as for the figures, and the figures are held. SOAK_REPORT names a file that the figures are
// added to. SOAK_SEED is what delays, losses, and what becomes of tabs follow from; it is printed.

import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';

import { BROWSER, launch, start } from './flagship.mjs';
import { network, numbers } from './network.mjs';
import { authenticated, freeze, newcomer, signInAs, tab } from './tabs.mjs';

const SECONDS = Number(process.env.SOAK_SECONDS ?? 20);
const WHOLE = SECONDS >= 300;
const SCALE = WHOLE ? 1 : 0.5;
const LIFETIME = 40;
const GRACE = 10;
const TABS = WHOLE ? 20 : 8;
const SEED = Number(process.env.SOAK_SEED ?? Date.now() % 2 ** 32);
// However long opening the tabs takes: a test that hangs is all that this ends.
const PATIENCE = 600_000;

const wait = (ms) => new Promise((wake) => setTimeout(wake, ms));

/** In every page: a clock that jumps by days, in all tabs at once, and an account of tokens that ran out. */
const init = ({ begun, period, locks }) => {
  const real = Date.now.bind(Date);
  const jumps = [0, 1, 0, -1];
  Date.now = () => real() + 86_400_000 * jumps[Math.floor((real() - begun) / period) % jumps.length];
  if (!locks) Object.defineProperty(Navigator.prototype, 'locks', { value: undefined });
  window.renewals = { inTime: 0, late: 0 };
  let runsOut = Infinity;
  window.asleep = false;
  window.account = () => {
    if (!tokenManager.isAuthenticated() || asleep) return;
    if (runsOut < Infinity) renewals[performance.now() < runsOut ? 'inTime' : 'late']++;
    const left = tokenManager.getTokenInfo().expiresAt - Date.now();
    // Else the clock jumped in between.
    runsOut = left > 0 && left < 60_000 ? performance.now() + left : Infinity;
  };
  window.wakeUp = () => {
    asleep = false;
    runsOut = Infinity;
  };
};

for (const locks of [true, false]) {
  // Without the lock only where figures are taken: the unit tests have both.
  if (!locks && !WHOLE) continue;
  const name = `tabs over a bad network stay signed in, ${locks ? 'with' : 'without'} the lock`;
  test(name, { timeout: SECONDS * 1_000 + PATIENCE }, async () => {
    console.log(`SOAK_SEED=${SEED}`);
    const server = await network(
      await start({ JWT_ACCESS_TOKEN_EXPIRY: `${LIFETIME}s`, JWT_ROTATION_GRACE: `${GRACE}s` }),
      { delay: 5_000 * SCALE, seed: SEED },
    );
    const browser = await launch();
    try {
      const figures = await soak(server, browser, locks);
      const told = report(figures, locks);
      console.log(told);
      if (process.env.SOAK_REPORT) appendFileSync(process.env.SOAK_REPORT, told);
      assert.deepEqual(figures.signedOut, []);
      assert.equal(figures.authenticated, TABS);
      assert.ok(figures.rotations >= 1);
      assert.ok(figures.renewed >= 1, 'no tab was renewed');
      assert.ok(figures.asked <= figures.due * TABS);
      if (WHOLE && locks) {
        // What a tab asked that was closed before it had the answer is asked once more.
        const asked = figures.asked - figures.gone;
        assert.ok(asked / figures.due <= 1.4, `${asked} refreshes where ${figures.due} were due`);
      }
      if (WHOLE) assert.ok(figures.late <= figures.renewed / 1_000, `${figures.late} of ${figures.renewed} came late`);
    } finally {
      await browser.close();
      await server.stop();
    }
  });
}

const soak = async (server, browser, locks) => {
  const begun = Date.now();
  const options = { mode: 'cookie', timeout: 8_000, live: locks };
  const period = WHOLE ? 60_000 : 5_000;
  const clock = { begun, period, locks };
  const { email, context, first } = await newcomer(server, browser, options, [init, clock]);
  const enter = async () => {
    const page = await tab(server, context, options);
    await page.evaluate(() => tokenManager.addEventListener('change', account));
    return page;
  };
  await first.evaluate(() => (tokenManager.addEventListener('change', account), account()));
  const tabs = [first];
  while (tabs.length < TABS) tabs.push(await enter());

  const figures = { rotations: 0, renewed: 0, late: 0, closed: 0, frozen: 0, signedOut: [] };
  const from = server.log.length;
  const take = async (page) => {
    const { renewals, out } = await page.evaluate(() => ({ renewals, out: told.filter(({ type }) => type === 'signed-out') }));
    figures.renewed += renewals.inTime + renewals.late;
    figures.late += renewals.late;
    return out;
  };
  const ended = async (out) => {
    figures.signedOut.push({ out, log: server.log.slice(-40) });
    await signInAs(tabs[0], email);
  };
  const sleeping = new Map();
  const wake = async (page) => {
    await sleeping.get(page)();
    await page.evaluate(() => wakeUp());
    sleeping.delete(page);
  };
  const chances = numbers(SEED + 2);
  const until = Date.now() + SECONDS * 1_000;
  const renewed = async () => renewals(server.log.slice(from)) && (await first.evaluate(() => renewals.inTime + renewals.late));
  // In a short time it is no matter of course that anything was due.
  while (Date.now() < until || (Date.now() < until + 60_000 && !(await renewed()))) {
    await wait(2_000 * SCALE);
    const place = 1 + Math.floor(chances() * (TABS - 1));
    const page = tabs[place];
    const chance = chances();
    if (sleeping.has(page)) {
      await wake(page);
    } else if (chance < 0.2) {
      const out = await take(page);
      if (out.length) await ended(out);
      await page.close();
      tabs[place] = await enter();
      figures.closed++;
    } else if (chance < 0.4 && BROWSER === 'chromium') {
      await page.evaluate(() => (asleep = true));
      sleeping.set(page, await freeze(page));
      figures.frozen++;
    } else if (!WHOLE) {
      // Somebody looks at it. In a short time little else has a tab see that the clock jumped.
      await page.evaluate(() => dispatchEvent(new Event('focus')));
    }
  }
  for (const page of [...sleeping.keys()]) await wake(page);
  // What is on its way arrives.
  await wait(8_000 * SCALE);
  const over = [];
  for (const page of tabs) over.push(...(await take(page)));
  if (over.length) figures.signedOut.push({ out: over, log: server.log.slice(-40) });
  if (process.env.SOAK_LOG) writeFileSync(process.env.SOAK_LOG, JSON.stringify(server.log, null, 0).replaceAll('},', '},\n'));
  const standing = await Promise.all(tabs.map(authenticated));
  const log = server.log.slice(from);
  const rotations = renewals(log);
  const jumped = dueByJumps(log, begun, period);
  return {
    ...figures,
    seconds: (Date.now() - begun) / 1_000,
    authenticated: standing.filter(Boolean).length,
    asked: log.length,
    lost: log.filter(({ lost }) => lost).length,
    gone: log.filter(({ gone }) => gone).length,
    rotations,
    jumped,
    due: rotations + jumped,
  };
};

/** How many generations came of it, after the first. */
const renewals = (log) => new Set(log.map(({ generation }) => generation).filter((generation) => generation > 1)).size;

/** How often a refresh was due only because the clock had jumped since the last answer arrived. */
const dueByJumps = (log, begun, period) => {
  const arrived = new Map();
  const counted = new Set();
  for (const { at, answered, generation, lost } of log) {
    const jump = Math.floor((at - begun) / period);
    if (arrived.has(generation) && Math.floor((arrived.get(generation) - begun) / period) < jump) counted.add(jump);
    if (!lost && !arrived.has(generation)) arrived.set(generation, answered);
  }
  return counted.size;
};

const report = (figures, locks) => {
  const { rotations, jumped, due, asked, lost, renewed, late, closed, frozen, signedOut, seconds } = figures;
  const share = `${renewed - late} of ${renewed} (${((100 * (renewed - late)) / renewed).toFixed(2)} %)`;
  const each = (asked / due).toFixed(2);
  const row = [BROWSER, locks ? 'with' : 'without', Math.round(seconds), rotations, jumped, asked, each, lost, closed, frozen, share, signedOut.length];
  return `| ${row.join(' | ')} |\n`;
};
