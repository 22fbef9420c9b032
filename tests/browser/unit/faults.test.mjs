// Many tabs over a bad network for hours: what one fault at a time does not show.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { World, answer } from './world.mjs';

/** The same numbers in every run. */
const numbers = (seed) => () => {
  seed = (seed * 1664525 + 1013904223) % 4294967296;
  return seed / 4294967296;
};

for (const [seed, mode, locks] of [
  [1, 'storage', true],
  [2, 'storage', false],
  [3, 'hybrid', true],
  [4, 'cookie', true],
  [5, 'cookie', false],
]) {
  test(`ten tabs, a fifth of the answers lost, delays, jumping clocks: ${mode}, ${locks ? 'with' : 'without'} locks`, async (t) => {
    const random = numbers(seed);
    t.mock.method(Math, 'random', numbers(seed + 100));
    const world = new World();
    Object.assign(world.server, { lifetime: 40_000, grace: 10_000, mode });
    const changes = () => (locks ? {} : { navigator: { onLine: true } });
    const open = () => world.tab({ mode, live: false }, changes());
    await open().manager.signIn({ password: 'right' });
    for (let i = 1; i < 10; i++) open();

    const wait = (ms) => new Promise((go) => world.timers.set(world.nextTimer++, { at: world.now + ms, work: go }));
    let rotations = 1;
    world.intercept = async (request) => {
      if (request.path !== '/api/auth/refresh') return undefined;
      await wait(random() * 2_500);
      const reply = world.server.answer(request);
      rotations = Math.max(rotations, world.server.sessions.get('s1').n);
      await wait(random() * 2_500);
      if (random() < 0.2) return random() < 0.5 ? answer(502, 'lost') : Promise.reject(new TypeError('lost'));
      return reply;
    };
    for (let round = 0; round < 60; round++) {
      await world.advance(10_000);
      if (random() < 0.3) {
        world.tabs[Math.floor(random() * world.tabs.length)].close();
        open();
      }
      if (random() < 0.1) world.skew = [0, 1, -1][Math.floor(random() * 3)] * 86_400_000;
    }

    assert.ok(world.tabs.every((tab) => tab.manager.isAuthenticated()));
    assert.equal(world.server.sessions.get('s1').ended, undefined);
    const per = world.count('/api/auth/refresh') / (rotations - 1);
    assert.ok(rotations > 15, `${rotations} rotations in ten minutes`);
    // Without locks each of the ten asks, and a fifth of them once more.
    assert.ok(per <= (locks ? 3 : 10 / 0.8), `${per} refreshes per rotation`);
  });
}
