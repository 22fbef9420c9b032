// The pages of the example in a real browser.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { after, afterEach, before, test } from 'node:test';

import { ADMIN, BROWSER, DEVICE, PASSWORD, launch, once, open, signIn, start } from './flagship.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 14_0 like Mac OS X)';

let server;
let browser;
const pages = [];

before(async () => {
  [server, browser] = await Promise.all([start(), launch()]);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

afterEach(async () => {
  for (const page of pages.splice(0)) await page.context().close();
});

const window = async (options) => {
  const page = await open(browser, options);
  pages.push(page);
  return page;
};

/** A user of the test's own, signed in. */
const somebody = async (options) => {
  const email = `user${Math.random().toString(36).slice(2)}@example.com`;
  assert.equal((await server.register(email)).status, 201);
  const page = await window(options);
  await signIn(page, server, email);
  return { email, page };
};

const clean = (page) => {
  assert.deepEqual(page.said, []);
  assert.deepEqual(page.foreign, []);
};

/** How far things moved since the page was painted. */
const shifted = (page) =>
  page.evaluate(
    () => new Promise((done) => {
      let sum = 0;
      new PerformanceObserver((list) => list.getEntries().forEach(({ value }) => (sum += value))).observe({ type: 'layout-shift', buffered: true });
      setTimeout(() => done(sum), 500);
    }),
  );

test('whoever is not signed in is led to the sign-in page and back', async () => {
  const page = await window();
  await page.goto(`${server.address}/admin`);
  assert.equal(new URL(page.url()).pathname + new URL(page.url()).search, '/sign-in?next=%2Fadmin');
  await page.fill('#email', ADMIN);
  await page.fill('#password', 'wrong password');
  await page.click('main button');
  // No driver waits for where a click leads to.
  await page.locator('#notice', { hasText: /wrong/ }).waitFor();
  await page.fill('#email', ADMIN);
  await page.fill('#password', PASSWORD);
  await page.click('main button');
  await page.waitForURL('**/admin');
});

once('a sign-in leads to no other site', async () => {
  for (const next of ['//evil.example/', 'https://evil.example/', '/\\evil.example', 'javascript:alert(1)']) {
    const page = await window();
    await page.goto(`${server.address}/sign-in?next=${encodeURIComponent(next)}`);
    await page.fill('#email', ADMIN);
    await page.fill('#password', PASSWORD);
    await page.click('main button');
    await page.waitForURL(`${server.address}/devices`);
  }
});

test('the script sees no token, and the page takes nothing from elsewhere', async () => {
  const { page } = await somebody();
  const seen = await page.evaluate(() => [document.cookie, JSON.stringify({ ...localStorage }), tokenManager.getAccessToken()]);
  assert.equal(seen[0], '');
  assert.ok(!seen[1].includes('eyJ'), seen[1]);
  assert.equal(seen[2], null);
  clean(page);
});

test('the device in use comes first and cannot be ended; others can', async () => {
  const { email, page } = await somebody();
  await server.device(email, IPHONE);
  await page.reload();
  const cards = page.locator('.card');
  assert.equal(await cards.nth(0).locator('.danger').count(), 0);
  assert.equal(await cards.nth(0).locator('.new').count(), 0);
  assert.match(await cards.nth(1).textContent(), /New/);
  const before = await cards.count();
  await cards.filter({ hasText: 'Safari on iOS' }).locator('.danger').click();
  await page.waitForFunction(() => document.getElementById('notice').textContent);
  assert.equal(await cards.count(), before - 1);
  assert.match(await page.textContent('.ended'), /Safari on iOS · signed out from another device/);
  clean(page);
});

once('ending all others asks first and says how many', async () => {
  const { email, page } = await somebody();
  for (let i = 0; i < 3; i++) await server.device(email);
  await page.reload();
  assert.equal(await page.locator('.ask button').isVisible(), false);
  await page.locator('.ask summary').click();
  // The registration was a session as well.
  assert.match(await page.textContent('.ask'), /Sign out 4 other devices\?/);
  await page.locator('.ask button').click();
  await page.waitForFunction(() => document.getElementById('notice').textContent);
  assert.match(await page.textContent('#notice'), /^4 devices/);
  assert.equal(await page.locator('.card').count(), 1);
});

test('a name is changed in place, and a wrong one is told', async () => {
  const { page } = await somebody();
  await page.locator('.card summary').first().click();
  await page.fill('.card input', 'My laptop');
  await page.press('.card input', 'Enter');
  await page.waitForFunction(() => document.querySelector('h3').textContent === 'My laptop');
  await page.locator('.card summary').first().click();
  await page.fill('.card input', 'a\u200bb');
  await page.press('.card input', 'Enter');
  await page.waitForFunction(() => /64/.test(document.getElementById('notice').textContent));
  assert.equal(await page.textContent('h3'), 'My laptop');
  clean(page);
});

once('times are in words, and exact on hover', async () => {
  const { page } = await somebody();
  const time = page.locator('time').first();
  assert.equal(await time.textContent(), 'just now');
  assert.match(await time.getAttribute('title'), /\d{4}.*\d{1,2}:\d\d:\d\d/);
});

once('whatever a device is called is shown as text', async () => {
  const { email, page } = await somebody();
  const names = [
    '<script>window.hit=1</script>',
    '"><img src=x onerror=window.hit=1>',
    "' onfocus='window.hit=1' autofocus='",
    '</title></textarea><svg onload=window.hit=1>',
    '&lt;b&gt; {{7*7}} ${7*7}',
    '😀👩‍👩‍👧‍👦',
    'שלום עולם',
  ];
  let shown = 0;
  for (const name of names) {
    const device = await server.device(email);
    const renamed = await server.rename(device, name);
    // Names with invisible characters are refused; the others have to be shown as they are.
    if (renamed.status !== 200) continue;
    await page.goto(`${server.address}/devices`);
    assert.equal(await page.locator('h3 bdi', { hasText: name }).first().textContent(), name);
    shown++;
    await page.locator('.ask button').evaluate((button) => button.click());
    await page.waitForFunction(() => document.getElementById('notice').textContent);
  }
  assert.equal(shown, names.length - 1);
  const agents = ['<script>window.hit=1</script>', `x${'<b>'.repeat(3_000)}`, '"><svg/onload=window.hit=1>'];
  for (const agent of agents) await server.device(email, agent);
  await page.goto(`${server.address}/devices`);
  assert.equal(await page.evaluate(() => window.hit), undefined);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  const admin = await window();
  await signIn(admin, server);
  await admin.goto(`${server.address}/admin?user=${encodeURIComponent('"><script>window.hit=1</script>')}`);
  assert.equal(await admin.evaluate(() => window.hit), undefined);
  clean(page);
  clean(admin);
});

test('a session ended in one window is over in another by itself, with the reason', async () => {
  const { email, page } = await somebody();
  const other = await window();
  const stream = other.waitForResponse('**/sessions/events');
  await signIn(other, server, email);
  await stream;
  await page.reload();
  const told = other.waitForFunction(() => /another device/.test(document.getElementById('notice').textContent), null, { polling: 50 });
  const begun = performance.now();
  await page.locator('.cards').nth(1).locator('.card').first().locator('.danger').click();
  await told;
  console.log(`signed out in the other window after ${Math.round(performance.now() - begun)} ms`);
  assert.equal(await other.textContent('#notice'), 'You were signed out: signed out from another device.');
  assert.equal(await other.evaluate(() => tokenManager.isAuthenticated()), false);
  assert.equal(await other.locator('main a').textContent(), 'Sign in again');
});

test('tabs of one browser share one stream, and all hear of the end', async () => {
  const { page } = await somebody();
  const tabs = [page];
  for (let i = 0; i < 3; i++) {
    const tab = await page.context().newPage();
    await tab.goto(`${server.address}/devices`);
    tabs.push(tab);
  }
  // A tab asks for the stream once its script has run, which may be after it is loaded.
  await page.waitForFunction(async () => {
    const { held, pending } = await navigator.locks.query();
    const of = (locks) => locks.filter(({ name }) => name === 'tokenManager').length;
    return of(held) === 1 && of(pending) === 3;
  });
  assert.equal(await page.evaluate(() => tokenManager.signOut()), true);
  for (const tab of tabs) await tab.waitForFunction(() => !tokenManager.isAuthenticated());
});

test('a session that needs a refresh only comes back by itself', async () => {
  const { page } = await somebody();
  const context = page.context();
  const cookies = await context.cookies();
  const led = async () => {
    await context.clearCookies({ name: '__Host-at' });
    await page.goto(`${server.address}/devices`);
    await page.waitForURL(`${server.address}/devices`);
  };
  // A refresh that is not answered within seconds leads nowhere, and a machine may be that slow once.
  await led().catch(led);
  assert.equal(await page.textContent('h1'), 'Your devices');
  assert.ok(cookies.every(({ httpOnly, secure }) => httpOnly && secure));
});

test('signing out in the navigation bar ends the session and takes the cookies back', async () => {
  const { page } = await somebody();
  await page.click('header button');
  await page.waitForURL('**/sign-in');
  assert.deepEqual(await page.context().cookies(), []);
  await page.goto(`${server.address}/devices`);
  assert.equal(new URL(page.url()).pathname, '/sign-in');
});

test('whoever comes back without cookies finds the form to sign in at', async () => {
  const { email, page } = await somebody();
  await page.context().clearCookies();
  await page.goto(`${server.address}/sign-in`);
  await page.waitForFunction(() => !tokenManager.isAuthenticated());
  assert.equal(await page.textContent('#notice'), '');
  await signIn(page, server, email);
});

test('everything works without scripts', async () => {
  const { email, page } = await somebody({ javaScriptEnabled: false });
  await server.device(email, IPHONE);
  await page.goto(`${server.address}/devices`);
  await page.locator('.card summary').first().click();
  await page.locator('.card input').first().fill('Plain');
  await page.locator('.card', { hasText: DEVICE }).first().getByRole('button', { name: 'Save' }).click();
  // By what it says: after a form's redirect the driver of Firefox does not learn the address.
  const told = (text) => page.getByText(text).waitFor();
  await told('The name was saved.');
  assert.equal(await page.textContent('h3'), 'Plain');
  await page.locator('.card', { hasText: 'Safari on iOS' }).locator('.danger').click();
  await told('The device was signed out.');
  await page.locator('.ask summary').click();
  assert.match(await page.textContent('.ask'), /Sign out the other device\?/);
  await page.locator('.ask button').click();
  await told('One device was signed out.');
  await page.click('header button');
  await page.locator('#password').waitFor();
});

test('somebody registers by a form, without scripts, and once', async () => {
  const email = `user${Math.random().toString(36).slice(2)}@example.com`;
  for (const [password, wanted] of [['short', /8 to 256/], [PASSWORD, null], [PASSWORD, /already/]]) {
    const page = await window({ javaScriptEnabled: false });
    await page.goto(`${server.address}/sign-in`);
    await page.click('main a');
    // Else the same fields of the page before are filled.
    await page.locator('#rule').waitFor();
    await page.fill('#email', email);
    await page.fill('#password', password);
    // What the browser holds back by itself, others send.
    if (password === 'short') {
      const body = new URLSearchParams({ email, password });
      const headers = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' };
      const answer = await fetch(`${server.address}/register`, { method: 'POST', headers, body });
      assert.equal(answer.status, 422);
      assert.match(await answer.text(), wanted);
      continue;
    }
    await page.click('main button');
    if (wanted) await page.locator('#notice', { hasText: wanted }).waitFor();
    else await page.waitForURL('**/devices');
  }
});

test('everything works with the keyboard alone', async () => {
  const { email, page } = await somebody();
  await server.device(email, IPHONE);
  await page.reload();
  const tabTo = async (wanted) => {
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press('Tab');
      const text = await page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent);
      if (text.includes(wanted)) return;
    }
    assert.fail(`${wanted} cannot be reached`);
  };
  await tabTo('Skip');
  await tabTo(`Rename: ${DEVICE}`);
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.type('By hand');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('h3').textContent === 'By hand');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'notice');
  await tabTo('Sign out all other devices');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelectorAll('.card').length === 1);
});

test('no page has a barrier that axe knows, light and dark, wide and narrow, from either side', async () => {
  const device = await server.device(ADMIN);
  await server.rename(device, 'Laptop');
  for (const [colorScheme, width, dir] of [['light', 1000, 'ltr'], ['dark', 320, 'ltr'], ['light', 320, 'rtl']]) {
    // Firefox is dark as a whole or not at all.
    const dark = BROWSER === 'firefox' && colorScheme === 'dark' ? await launch({ dark: true }) : null;
    const page = await open(dark ?? browser, { viewport: { width, height: 700 }, colorScheme, reducedMotion: 'reduce' });
    const look = async (path) => {
      await page.goto(server.address + path);
      assert.equal(await page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches), colorScheme === 'dark');
      await page.evaluate((dir) => {
        document.documentElement.dir = dir;
        for (const details of document.querySelectorAll('details')) details.open = true;
      }, dir);
      await page.evaluate(AXE);
      const { violations } = await page.evaluate(() => axe.run());
      assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`), [], `${path} ${colorScheme} ${dir}`);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${path} at ${width}, ${dir}`);
    };
    try {
      for (const path of ['/sign-in', '/register', '/docs']) await look(path);
      await signIn(page, server);
      for (const path of ['/', '/devices', '/admin', '/admin?user=nobody', '/admin/audit', '/admin/audit?user=nobody']) await look(path);
    } finally {
      await page.context().close();
      await dark?.close();
    }
  }
});

// Firefox does not tell of shifts.
(BROWSER === 'chromium' ? test : () => {})('nothing moves once it is painted, and the first paint can be used', async () => {
  const page = await window();
  await signIn(page, server);
  // What happens while administrators look is shown to them, and moves the rest.
  await page.route('**/api/admin/events*', (route) => route.abort());
  for (const path of ['/devices', '/admin', '/admin/audit', '/', '/sign-in', '/register']) {
    // What a page needs to be used is in its first answer: scripts never come.
    await page.route('**/*.js*', (route) => route.abort());
    await page.goto(server.address + path);
    const [paint] = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint').length ? ['painted'] : new Promise((done) => new PerformanceObserver(() => done(['painted'])).observe({ type: 'paint', buffered: true })));
    assert.equal(paint, 'painted');
    assert.ok(await page.locator('main h1').isVisible(), path);
    await page.unroute('**/*.js*');
    await page.goto(server.address + path);
    assert.equal(await shifted(page), 0, path);
  }
});

for (const [locale, words] of [['en-GB', '2 days ago'], ['de-AT', 'vor 2 Tagen']]) {
  (BROWSER === 'chromium' ? test : () => {})(`nothing moves where times are told in the words of the server: ${words}`, async () => {
    const { page } = await somebody({ locale });
    await page.route('**/devices', async (route) => {
      const answer = await route.fetch();
      const at = new Date(Date.now() - 2.5 * 86_400_000).toISOString();
      const body = (await answer.text()).replaceAll(/<time datetime="[^"]*" title="[^"]*">[^<]*/g, `<time datetime="${at}" title="${at}">${words}`);
      await route.fulfill({ response: answer, body });
    });
    await page.goto(`${server.address}/devices`);
    await page.waitForFunction((words) => document.querySelector('time').title.length > 30 && document.querySelector('time').textContent === words, words);
    assert.equal(await shifted(page), 0);
  });
}

(BROWSER === 'chromium' ? test : () => {})('nothing is animated for whoever asks for less motion', async () => {
  for (const [reducedMotion, animated] of [['reduce', false], ['no-preference', true]]) {
    const { page } = await somebody({ reducedMotion });
    const durations = await page.evaluate(() => [...document.querySelectorAll('*')].map((element) => getComputedStyle(element).transitionDuration));
    assert.equal(durations.some((duration) => duration !== '0s'), animated, reducedMotion);
  }
});

once('the pages speak the language of the reader', async () => {
  const visitor = await window({ locale: 'de-AT' });
  for (const [path, title] of [['/sign-in', 'Anmelden'], ['/register', 'Registrieren'], ['/', 'Sitzungen zum Ausprobieren']]) {
    await visitor.goto(server.address + path);
    assert.equal(await visitor.textContent('h1'), title);
    assert.doesNotMatch(await visitor.textContent('main'), /password|account|sign in|open this/i);
  }
  const { page } = await somebody({ locale: 'de-AT' });
  assert.equal(await page.textContent('h1'), 'Ihre Geräte');
  assert.equal(await page.getAttribute('html', 'lang'), 'de');
});

test('administrators see counts, search, and end sessions with a reason', async () => {
  const { email, page } = await somebody();
  const { user_id } = await page.evaluate(async () => (await fetch('/api/me')).json());
  const stream = page.waitForResponse('**/sessions/events');
  await page.reload();
  await stream;
  const admin = await window();
  await signIn(admin, server);
  await admin.goto(`${server.address}/admin`);
  await admin.waitForFunction(() => document.querySelector('dd').textContent > 0);
  assert.ok((await admin.locator('figure rect').count()) > 0);
  await server.device(email);
  await admin.waitForFunction((user) => document.querySelector('#feed li')?.textContent.includes(user), user_id);
  await admin.fill('.search input', email);
  await admin.click('.search button');
  await admin.waitForURL('**/admin?user=**');
  const cards = admin.locator('.card');
  await cards.nth(2).waitFor();
  assert.equal(await cards.count(), 3);
  const told = page.waitForFunction(() => /password/.test(document.getElementById('notice').textContent));
  await cards.filter({ hasText: DEVICE }).locator('select').selectOption('password_changed');
  await cards.filter({ hasText: DEVICE }).locator('button').click();
  await told;
  // The other window may be told before this one shows what came of its form.
  await admin.waitForFunction(() => document.getElementById('notice').textContent);
  await admin.locator('.ask summary').click();
  await admin.locator('.ask button').click();
  await admin.waitForFunction(() => /^2 devices/.test(document.getElementById('notice').textContent));
  clean(admin);
});

once('the audit log is sifted by forms, without scripts and by the keyboard', async () => {
  const { email } = await somebody();
  const admin = await window({ javaScriptEnabled: false, locale: 'de-AT', viewport: { width: 320, height: 700 } });
  await signIn(admin, server);
  await server.device(email, '"><script>window.hit=1</script>');
  await admin.goto(`${server.address}/admin`);
  await admin.getByRole('link', { name: 'Protokoll' }).click();
  await admin.getByRole('heading', { name: 'Protokoll' }).waitFor();
  // What has just happened is written down a moment later.
  const signedIn = admin.locator('.log b', { hasText: /^angemeldet$/ });
  for (const begun = Date.now(); (await signedIn.count()) < 2; await admin.reload()) assert.ok(Date.now() - begun < 30_000, 'it is not written down');
  const select = admin.locator('select[name=event]');
  await select.focus();
  // By arrows: what is typed is one word only where it is typed fast.
  for (let left = await select.locator('option').count(); left && (await select.inputValue()) !== 'signed_in'; left--) await admin.keyboard.press('ArrowDown');
  await select.press('Tab');
  await admin.keyboard.press('Enter');
  await admin.waitForURL('**/admin/audit?user=&event=signed_in');
  assert.ok((await admin.locator('.log li').count()) > 1);
  for (const kind of await admin.locator('.log b').allTextContents()) assert.equal(kind, 'angemeldet');
  await admin.locator('.log a bdi').first().click();
  await admin.waitForURL('**/admin/audit?user=**');
  await admin.getByRole('link', { name: 'Sitzungen dieser Person' }).click();
  await admin.waitForURL('**/admin?user=**');
  assert.equal(await admin.locator('script:not([src])').count(), 0);
  clean(admin);
});

once('who is no administrator is refused', async () => {
  const { page } = await somebody();
  for (const path of ['/admin', '/admin/audit', '/api/admin/stats', '/api/admin/events']) {
    assert.equal(await page.evaluate(async (path) => (await fetch(path)).status, path), 403, path);
  }
});

test('forms of another site do nothing', async () => {
  const { email, page } = await somebody();
  await server.device(email);
  await page.reload();
  const before = await page.locator('.card').count();
  const post = (from) =>
    from.evaluate((url) => fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include' }), `${server.address}/devices/end-others`);
  // Another origin on the same host: cookies know no ports.
  // Its page has no policy and may send what it likes: that this is in vain must be our doing.
  const other = createServer((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>elsewhere'));
  await new Promise((bound) => other.listen(0, '127.0.0.1', bound));
  try {
    const evil = await page.context().newPage();
    await evil.goto(`http://127.0.0.1:${other.address().port}/`);
    const sent = page.context().waitForEvent('request', (request) => request.url().endsWith('/end-others'));
    await post(evil);
    assert.match((await (await sent).allHeaders()).cookie, /__Host-at=/);
  } finally {
    other.close();
    other.closeAllConnections();
  }
  await page.reload();
  assert.equal(await page.locator('.card').count(), before);
  await post(page);
  await page.reload();
  assert.equal(await page.locator('.card').count(), 1);
});

once('scripts and styles are compressed, and fetched once', async () => {
  const { page } = await somebody();
  await page.reload();
  const sizes = await page.evaluate(() => performance.getEntriesByType('resource').filter(({ name }) => /\.(js|css)/.test(name)).map(({ name, transferSize, encodedBodySize, decodedBodySize }) => ({ name, transferSize, encodedBodySize, decodedBodySize })));
  assert.equal(sizes.length, 3);
  for (const { name, transferSize, encodedBodySize, decodedBodySize } of sizes) {
    assert.ok(encodedBodySize < decodedBodySize, name);
    assert.equal(transferSize, 0, `${name} was fetched again`);
  }
  const total = sizes.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0);
  const { brotliCompressSync } = await import('node:zlib');
  const whole = total + brotliCompressSync(await page.content()).length;
  console.log(`the page of devices has ${whole} bytes with brotli`);
  assert.ok(whole <= 25_000);
});
