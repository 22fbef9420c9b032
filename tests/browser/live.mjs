// From a revocation by one node to a tab that is connected to another and says that it is signed out.
//
// Usage: node tests/browser/live.mjs [--store sqlite|redis|postgres|ADDRESS] [--nodes 1|2] [--rounds 300]
// The servers are this command's own, unless an ADDRESS is given. BROWSER says in which browser.

import { parseArgs } from 'node:util';

import { BROWSER, FLAGSHIP, launch, start } from './e2e/flagship.mjs';
import { revokedElsewhere } from './e2e/revoked.mjs';
import { serverOf } from './e2e/stores.mjs';

const { values } = parseArgs({
  options: { store: { type: 'string', default: 'sqlite' }, nodes: { type: 'string', default: '2' }, rounds: { type: 'string', default: '300' } },
});

const store = await serverOf(values.store);
const settings = { SESSION_STORE: store.address, JWT_SECRET: 'a secret of a measurement, and long enough', RATE_LIMIT_MAX_REQUESTS: '0', STORE_TIMEOUT: '5s' };
const nodes = [];
let browser;
try {
  for (let i = 0; i < Number(values.nodes); i++) nodes.push(await start(settings));
  browser = await launch();
  const times = await revokedElsewhere({ browser, from: nodes[0], to: nodes.at(-1), rounds: Number(values.rounds) });
  const at = (share) => Math.round(times[Math.round((times.length - 1) * share)]);
  const row = [BROWSER, values.store, nodes.length, times.length, at(0.5), at(0.99), at(1)];
  console.log(`built as ${FLAGSHIP.includes('release') ? 'release' : 'debug'}; milliseconds since the revocation was asked for`);
  console.log('| browser | store | nodes | times | median | p99 | longest |\n|---|---|---|---:|---:|---:|---:|');
  console.log(`| ${row.join(' | ')} |`);
  if (at(0.5) >= 200 || at(0.99) >= 1_000) process.exitCode = 1;
} finally {
  await browser?.close();
  for (const node of nodes) await node.stop();
  await store.stop();
}
