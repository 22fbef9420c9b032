// Compresses the assets of the pages, or with --check says whether what is committed is of these sources.

import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from 'node:zlib';

const FOLDER = new URL('../../src/browser/assets/', import.meta.url);
// Bytes that go over the wire at most.
const BOUNDS = { 'token-manager.js': 5_000 };

const check = process.argv.includes('--check');
const read = (name) => readFileSync(new URL(name, FOLDER));
const digests = [];
let wrong = 0;
const claim = (holds, what) => {
  if (holds) return;
  wrong++;
  console.error(what);
};

for (const name of readdirSync(FOLDER).filter((name) => /\.(js|css)$/.test(name)).sort()) {
  const source = read(name);
  digests.push(`${createHash('sha256').update(source).digest('hex')}  ${name}\n`);
  if (check) {
    claim(brotliDecompressSync(read(`${name}.br`)).equals(source), `${name}.br is not of ${name}: node tests/browser/compress.mjs`);
    claim(gunzipSync(read(`${name}.gz`)).equals(source), `${name}.gz is not of ${name}: node tests/browser/compress.mjs`);
  } else {
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT, [constants.BROTLI_PARAM_SIZE_HINT]: source.length };
    writeFileSync(new URL(`${name}.br`, FOLDER), brotliCompressSync(source, { params }));
    writeFileSync(new URL(`${name}.gz`, FOLDER), gzipSync(source, { level: 9 }));
  }
  const { length } = read(`${name}.br`);
  console.log(`${name}: ${source.length} bytes, ${length} with brotli`);
  claim(length <= (BOUNDS[name] ?? Infinity), `${name} is above ${BOUNDS[name]} bytes`);
}
if (check) claim(read('digests.txt').equals(Buffer.from(digests.join(''))), 'digests.txt is outdated');
else writeFileSync(new URL('digests.txt', FOLDER), digests.join(''));
process.exitCode = wrong ? 1 : 0;
