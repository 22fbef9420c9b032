// What the pages do beyond forms: they hear of their end, keep their times, and change in place.

const { body } = document;
// Missing where its script did not come: forms and links do all there is to do.
const { tokenManager } = window;

const tell = (text) => {
  const notice = document.getElementById('notice');
  notice.textContent = text;
  notice.focus();
};

tokenManager?.addEventListener('signed-out', ({ detail: { reason } }) => {
  const reasons = JSON.parse(body.dataset.reasons);
  const main = document.getElementById('main');
  const why = body.dataset.signedOut.replace('{why}', reasons[reason] ?? reasons.other);
  // A page that was made for nobody, as the one to sign in at, stays as it is.
  if (!document.querySelector('meta[name=token-manager]').dataset.session) {
    if (reasons[reason]) tell(why);
    return;
  }
  document.querySelector('header form')?.remove();
  for (const child of [...main.children]) if (child.tagName !== 'H1' && child.id !== 'notice') child.remove();
  tell(why);
  const again = Object.assign(document.createElement('a'), { href: body.dataset.signIn, textContent: body.dataset.again });
  const line = document.createElement('p');
  line.append(again);
  main.append(line);
});

// In the words of the server and by its clock, so that nothing moves when the script takes over.
const units = JSON.parse(body.dataset.ago);
const ahead = Date.now() - Date.parse(body.dataset.now);
const keepTime = () => {
  for (const time of document.querySelectorAll('time')) {
    const at = new Date(time.dateTime);
    const passed = (Date.now() - ahead - at) / 1000;
    const [seconds, one, many] = units.find(([seconds]) => passed >= seconds) ?? [];
    const count = Math.floor(passed / seconds);
    time.title = at.toLocaleString(document.documentElement.lang, { dateStyle: 'full', timeStyle: 'long' });
    if (seconds) time.textContent = (count === 1 ? one : many).replace('{count}', count);
  }
};

const show = (html) => {
  const next = new DOMParser().parseFromString(html, 'text/html');
  document.getElementById('main').replaceWith(document.adoptNode(next.getElementById('main')));
  keepTime();
  document.getElementById('notice').focus();
};

document.addEventListener('submit', async (event) => {
  const form = event.target;
  if (!tokenManager || form.method !== 'post' || !form.closest('main') || form.dataset.plain !== undefined) return;
  event.preventDefault();
  try {
    const init = { method: 'POST', body: new URLSearchParams(new FormData(form)) };
    const response = await tokenManager.makeAuthenticatedRequest(form.action, init);
    const landed = new URL(response.url);
    if (response.redirected && landed.pathname !== location.pathname) location.assign(landed);
    else show(await response.text());
  } catch {
    // It may have been done, so it is not sent again.
    tell(body.dataset.failed);
  }
});

/** Whether a page was led to from here a moment ago: what it lacks, a refresh does not bring. */
const ledBefore = () => {
  try {
    const last = Number(sessionStorage.ledAt);
    sessionStorage.ledAt = Date.now();
    return Math.abs(Date.now() - last) < 10_000;
  } catch {
    return true;
  }
};

const next = new URLSearchParams(location.search).get('next');
if (location.pathname === body.dataset.signIn && next && tokenManager?.isAuthenticated() && !ledBefore()) {
  // Led here with a session that needs no more than a refresh.
  if (await tokenManager.refreshAccessToken()) {
    try {
      const target = new URL(next, location.origin);
      if (target.origin === location.origin) location.replace(target);
    } catch {
      // An address of nothing leads nowhere.
    }
  }
}

// What administrators see goes on by itself, while somebody can see it: browsers hold few
// connections to a server open at a time.
const feed = document.getElementById('feed');
if (feed && tokenManager) {
  const names = { ...JSON.parse(body.dataset.reasons), ...JSON.parse(feed.dataset.words) };
  const named = (name) => names[name] ?? name?.replaceAll('_', ' ') ?? '';
  let last = feed.dataset.last;
  let source;
  let pause = 2_000;
  let timer;

  const part = (tag, text, more) => Object.assign(document.createElement(tag), { textContent: text }, more);
  const tellOf = ({ data }) => {
    const { number, at, what, user, reason } = JSON.parse(data);
    last = number;
    pause = 2_000;
    const list = document.getElementById('feed');
    if (!list) return;
    const line = document.createElement('li');
    const time = part('time', list.dataset.now, { dateTime: at });
    line.append(time, ' ', part('b', named(what)), ' ', part('bdi', user ?? ''), ' ', part('small', named(reason)));
    list.prepend(line);
    while (list.children.length > 100) list.lastChild.remove();
    keepTime();
  };

  const count = async () => {
    const chosen = document.querySelector('.windows')?.dataset.chosen;
    if (!chosen || document.hidden || !tokenManager.isAuthenticated()) return;
    const response = await tokenManager.makeAuthenticatedRequest(`/api/admin/stats?window=${chosen}`).catch(() => null);
    const stats = response?.ok && (await response.json().catch(() => null));
    if (!stats?.live) return;
    for (const figure of document.querySelectorAll('[data-of]')) {
      figure.textContent = figure.dataset.of.split('.').reduce((of, name) => of?.[name], stats) ?? '–';
    }
    const time = document.querySelector('#now ~ p time');
    if (time) time.dateTime = stats.live.as_of;
    keepTime();
  };

  const listen = () => {
    source?.close();
    clearTimeout(timer);
    if (document.hidden || !tokenManager.isAuthenticated()) return;
    source = new EventSource(`/api/admin/events?after=${last}`);
    source.addEventListener('message', tellOf);
    source.addEventListener('error', () => {
      if (source.readyState !== EventSource.CLOSED) return;
      // Refused, which a token that ran out explains: whatever is asked for renews it.
      timer = setTimeout(() => count().then(listen), (pause = Math.min(2 * pause, 60_000)));
    });
  };

  listen();
  document.addEventListener('visibilitychange', listen);
  tokenManager.addEventListener('signed-out', listen);
  setInterval(count, 10_000);
}

keepTime();
setInterval(keepTime, 60_000);
