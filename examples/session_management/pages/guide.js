// The navigation bar, the form and the buttons. In the console, the lines need none of this but the
// first two.

import { TokenManager } from '/token-manager.js';

const tokenManager = TokenManager.install();

const element = (id) => document.getElementById(id);
const say = (text) => (element('said').textContent = text);
const told = (error) => say(`${error.code ?? error.name}: ${error.message}`);

const showWho = () => {
  const { authenticated, sessionId } = tokenManager.getTokenInfo();
  element('who').textContent = authenticated ? `Signed in, session ${sessionId.slice(0, 8)}` : 'Not signed in';
  element('sign-out').hidden = !authenticated;
  element('sign-in').hidden = authenticated;
};
tokenManager.addEventListener('change', showWho);
tokenManager.addEventListener('signed-out', ({ detail: { reason } }) => say(`signed out: ${reason}`));
showWho();

const register = async (credentials) => {
  const body = JSON.stringify(credentials);
  const headers = { 'content-type': 'application/json' };
  const response = await fetch('/api/auth/register', { method: 'POST', headers, body });
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.detail), { code: answer.code });
  // It was signed in by that; the token manager signs in by itself.
  await fetch('/api/auth/logout', { method: 'POST', headers: { authorization: `Bearer ${answer.access_token}` } });
};

element('sign-in').addEventListener('submit', async (event) => {
  event.preventDefault();
  const credentials = Object.fromEntries(new FormData(event.target));
  try {
    if (event.submitter.value === 'register') await register(credentials);
    await tokenManager.signIn(credentials);
  } catch (error) {
    told(error);
  }
});

element('sign-out').addEventListener('click', () => tokenManager.signOut());

// Each as it would be typed; a page whose policy forbids `eval` cannot run text.
const lines = {
  'window.tokenManager.isAuthenticated()': () => window.tokenManager.isAuthenticated(),
  'window.tokenManager.getAccessToken()': () => window.tokenManager.getAccessToken(),
  'getToken()': () => window.getToken(),
  'window.tokenManager.getTokenInfo()': () => window.tokenManager.getTokenInfo(),
  "await window.tokenManager.makeAuthenticatedRequest('/api/protected-endpoint', { method: 'GET' })": async () => {
    const response = await window.tokenManager.makeAuthenticatedRequest('/api/protected-endpoint', { method: 'GET' });
    return response.json();
  },
  'await window.tokenManager.refreshAccessToken()': () => window.tokenManager.refreshAccessToken(),
  'await window.tokenManager.getSessionStats()': () => window.tokenManager.getSessionStats(),
  "localStorage.getItem('accessToken')": () => localStorage.getItem('accessToken'),
  "localStorage.getItem('refreshToken')": () => localStorage.getItem('refreshToken'),
  "localStorage.setItem('debug', 'true')": () => localStorage.setItem('debug', 'true'),
};

element('lines').addEventListener('click', async ({ target }) => {
  const line = lines[target.textContent];
  if (!line) return;
  try {
    say(JSON.stringify(await line(), null, 2) ?? 'undefined');
  } catch (error) {
    told(error);
  }
});
