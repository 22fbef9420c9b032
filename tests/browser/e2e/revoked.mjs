// A tab at one node hears that its session was ended at another.

import { ADMIN, open, signIn } from './flagship.mjs';

/**
 * How long it takes, each time with a new session, in milliseconds and sorted: from when the request to end it
 * is sent to `from` until the page of `to` says so.
 */
export const revokedElsewhere = async ({ browser, from, to, rounds }) => {
  const page = await open(browser);
  await page.context().addInitScript(() => {
    addEventListener('DOMContentLoaded', () => {
      const notice = document.getElementById('notice');
      new MutationObserver(() => (window.toldAt ??= Date.now())).observe(notice, { childList: true });
    });
  });
  const admin = await from.device(ADMIN);
  const { access_token: token } = admin;
  const times = [];
  for (let round = 0; round < rounds; round++) {
    const stream = page.waitForResponse('**/sessions/events');
    await signIn(page, to);
    await stream;
    const id = await page.evaluate(() => tokenManager.getTokenInfo().sessionId);
    const asked = Date.now();
    const ended = await fetch(`${from.address}/api/admin/sessions/${id}`, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } });
    if (ended.status !== 204) throw new Error(`the end was answered with ${ended.status}`);
    await page.waitForFunction(() => window.toldAt, null, { polling: 20 });
    times.push((await page.evaluate(() => window.toldAt)) - asked);
  }
  await page.context().close();
  return times.sort((a, b) => a - b);
};
