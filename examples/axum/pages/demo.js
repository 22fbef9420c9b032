// The buttons of the first page: the calls of the guide, and what they answer.

const { tokenManager } = window;
const said = document.getElementById('said');

const acts = {
  info: () => tokenManager.getTokenInfo(),
  refresh: () => tokenManager.refreshAccessToken(),
  request: async () => (await tokenManager.makeAuthenticatedRequest('/api/protected')).json(),
  stats: () => tokenManager.getSessionStats(),
  signOut: () => tokenManager.signOut(),
};

document.getElementById('acts').addEventListener('click', async ({ target }) => {
  const act = acts[target.dataset.act];
  if (!act) return;
  try {
    said.textContent = JSON.stringify(await act(), null, 2);
  } catch (error) {
    said.textContent = `${error.code ?? error.name}: ${error.message}`;
  }
});
