// Two nodes on one store, and a tab at each: what is ended at one is over at the other.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch, start } from './flagship.mjs';
import { revokedElsewhere } from './revoked.mjs';
import { serverOf } from './stores.mjs';

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

for (const kind of ['sqlite', 'redis', 'postgres']) {
  test(`${kind}: a session ended at one node is over in a tab at the other`, async () => {
    // Nothing is killed here: what is kept need not be on the disk at once.
    const store = await serverOf(kind, { lasting: false });
    const nodes = [];
    try {
      const settings = { SESSION_STORE: store.address, STORE_TIMEOUT: '60s', JWT_SECRET: 'a secret of a test, and long enough for one' };
      for (let i = 0; i < 2; i++) nodes.push(await start(settings));
      const times = await revokedElsewhere({ browser, from: nodes[0], to: nodes[1], rounds: 3 });
      assert.equal(times.length, 3);
      console.log(`${kind}: told at the other node after ${times.join(', ')} ms`);
    } finally {
      for (const node of nodes) await node.stop();
      await store.stop();
    }
  });
}
