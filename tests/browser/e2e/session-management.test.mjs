// The lines of the session management guide in a real browser.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { PASSWORD, launch, once, open, start } from './flagship.mjs';

let server;
let browser;

before(async () => {
  [server, browser] = await Promise.all([start({}, 'session_management'), launch()]);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const user = () => `user${Math.random().toString(36).slice(2)}@example.com`;

const enter = async (page, button, email = user()) => {
  await page.goto(server.address);
  await page.fill('#email', email);
  await page.fill('#password', PASSWORD);
  await page.click(`button[value="${button}"]`);
};

const signedIn = (page) => page.waitForFunction(() => document.getElementById('who').textContent.startsWith('Signed in'));
const signedOut = (page) => page.waitForFunction(() => document.getElementById('who').textContent === 'Not signed in');

/** Presses a line's button; answers what is shown then. */
const press = async (page, line) => {
  await page.evaluate(() => (document.getElementById('said').textContent = ''));
  await page.getByRole('button', { name: line, exact: true }).click();
  await page.waitForFunction(() => document.getElementById('said').textContent);
  return JSON.parse(await page.textContent('#said'));
};

test('every line of the guide answers, typed and pressed', async () => {
  const page = await open(browser);
  await enter(page, 'register');
  await signedIn(page);
  const token = await page.evaluate(() => window.tokenManager.getAccessToken());
  assert.match(token, /^eyJ/);
  for (const line of ['window.tokenManager.getAccessToken()', 'getToken()', "localStorage.getItem('accessToken')"]) {
    assert.equal(await press(page, line), token, line);
  }
  assert.equal(await page.evaluate(() => getToken()), token);
  assert.equal(await press(page, 'window.tokenManager.isAuthenticated()'), true);
  assert.equal((await press(page, 'window.tokenManager.getTokenInfo()')).mode, 'storage');
  const request = "await window.tokenManager.makeAuthenticatedRequest('/api/protected-endpoint', { method: 'GET' })";
  assert.match((await press(page, request)).message, /signed in/);
  assert.equal((await press(page, 'await window.tokenManager.getSessionStats()')).activeSessions, 1);
  assert.equal(await press(page, 'await window.tokenManager.refreshAccessToken()'), true);
  assert.notEqual(await press(page, 'getToken()'), token);
  assert.match((await press(page, request)).message, /signed in/);
  await page.evaluate(() => (window.tokenManager = new TokenManager()));
  assert.equal(await press(page, 'window.tokenManager.isAuthenticated()'), true);
  assert.deepEqual(page.said, []);
  assert.deepEqual(page.foreign, []);
  await page.context().close();
});

test('two windows are signed in and out together, and the navigation bars say so', async () => {
  const page = await open(browser);
  const email = user();
  await enter(page, 'register', email);
  await signedIn(page);
  const other = await page.context().newPage();
  await other.goto(server.address);
  await signedIn(other);
  await page.click('#sign-out');
  await Promise.all([signedOut(page), signedOut(other)]);
  assert.equal(await page.evaluate(() => localStorage.getItem('accessToken')), null);
  await enter(page, 'login', email);
  await Promise.all([signedIn(page), signedIn(other)]);
  await page.context().close();
});

once('a wrong password is told', async () => {
  const page = await open(browser);
  await enter(page, 'login');
  await page.waitForFunction(() => document.getElementById('said').textContent.startsWith('invalid_credentials'));
  await page.context().close();
});
