// Tabs with a token manager, in pages that declare nothing.

import { PASSWORD, open } from './flagship.mjs';

export const TYPES = ['signed-in', 'signed-out', 'refreshed', 'refresh-failed', 'storage-unavailable'];

/** Loads the module into a new tab, which keeps in `told` what the manager tells. */
export const tab = async (server, context, options) => {
  const page = await context.newPage();
  await page.goto(`${server.address}/livez`);
  await page.evaluate(
    async ([options, types]) => {
      const { TokenManager } = await import('/token-manager.js');
      const manager = TokenManager.install(options);
      window.told = [];
      for (const type of types) manager.addEventListener(type, ({ detail }) => told.push({ type, ...detail }));
    },
    [options, TYPES],
  );
  return page;
};

/** A user of their own who signs in, in a browser of their own; `init` runs in every page before it. */
export const newcomer = async (server, browser, options, init) => {
  const email = `user${Math.random().toString(36).slice(2)}@example.com`;
  const { status } = await server.register(email);
  if (status !== 201) throw new Error(`the registration was answered with ${status}`);
  const page = await open(browser);
  const context = page.context();
  await page.close();
  if (init) await context.addInitScript(...[init].flat());
  const first = await tab(server, context, options);
  const stream = options.live !== false && first.waitForResponse('**/sessions/events');
  await signInAs(first, email);
  // Before it is open, an end elsewhere is heard of by the next request alone.
  await stream;
  return { email, context, first };
};

export const signInAs = (page, email) => page.evaluate((form) => tokenManager.signIn(form), { email, password: PASSWORD });

export const authenticated = (page) => page.evaluate(() => tokenManager.isAuthenticated());

/**
 * Freezes a tab of Chromium; what it answers thaws it. The driver has every page behave as if somebody looked at
 * it, and such a page goes on whatever it is told: that is taken back first, where the driver keeps it to itself.
 */
export const freeze = async (page) => {
  const session = await page.context().newCDPSession(page);
  const driver = page._connection.toImpl(page).delegate._mainFrameSession._client;
  const state = async (state) => {
    if (state === 'frozen') await driver.send('Emulation.setFocusEmulationEnabled', { enabled: false });
    await session.send('Page.setWebLifecycleState', { state });
    if (state === 'active') await driver.send('Emulation.setFocusEmulationEnabled', { enabled: true });
  };
  await state('frozen');
  return () => state('active');
};
