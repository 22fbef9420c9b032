// What is declared and told, against what there is.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { TokenManager } from '../../../src/browser/assets/token-manager.js';
import { World } from './world.mjs';

test('the declarations name every method and event that there is, and no other', async () => {
  const folder = new URL('../../../src/browser/assets/', import.meta.url);
  const [told, source] = ['token-manager.d.ts', 'token-manager.js'].map((name) => readFileSync(new URL(name, folder), 'utf8'));
  const names = (text, pattern) => [...new Set([...text.matchAll(pattern)].map(([, name]) => name))].sort();
  const declared = told.slice(told.indexOf('export class TokenManager'), told.indexOf('declare global'));
  const methods = names(declared.replace(/readonly sessions: \{.*?\};/s, ''), /^  (?:static )?(\w+)\(/gm).filter((name) => !/EventListener|constructor/.test(name));
  const own = (of, inherited) => Object.getOwnPropertyNames(of).filter((name) => !inherited.includes(name));
  assert.deepEqual(methods, [...own(TokenManager.prototype, ['constructor']), ...own(TokenManager, ['length', 'name', 'prototype'])].sort());
  const { manager } = new World().tab();
  assert.deepEqual(names(declared, /^    (\w+)\(/gm), Object.keys(manager.sessions).sort());
  const events = told.slice(told.indexOf('interface TokenManagerEventMap'), told.indexOf('export class'));
  assert.deepEqual(names(events, /^  '?([\w-]+)'?: CustomEvent/gm), names(source, /#emit\('([\w-]+)'/g));
  const options = told.slice(told.indexOf('interface Options'), told.indexOf('interface TokenInfo'));
  const taken = names(source.slice(source.indexOf('const DEFAULTS'), source.indexOf('\n', source.indexOf('const DEFAULTS'))), /(\w+): /g);
  assert.deepEqual(names(options, /^  (\w+)\?:/gm), [...taken, 'mode', 'paths', 'strict'].sort());
  assert.deepEqual(Object.keys(manager.getTokenInfo()).sort(), names(told.slice(told.indexOf('interface TokenInfo'), told.indexOf('interface SessionInfo')), /^  (\w+): /gm));
});
