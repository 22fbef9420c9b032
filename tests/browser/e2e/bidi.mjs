// The driver tells every new window of a Firefox its colours, by a command that this one does not
// know yet. What it answers to that is taken for done; colours are chosen when it starts.

import { createRequire } from 'node:module';

const COMMAND = 'emulation.setMediaFeaturesOverride';

const { ws } = createRequire(import.meta.url)('playwright-core/lib/utilsBundle');
const { emit } = ws.prototype;

ws.prototype.emit = function (type, data, ...rest) {
  if (type !== 'message' || !data.includes(COMMAND)) return emit.call(this, type, data, ...rest);
  const { id, error } = JSON.parse(data);
  const told = error === 'unknown command' ? Buffer.from(JSON.stringify({ id, type: 'success', result: {} })) : data;
  return emit.call(this, type, told, ...rest);
};
