// Stores for several nodes, each in a folder of its own that goes with it.

import { spawn, spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Whoever PostgreSQL runs as where we are root, which it refuses.
const NOBODY = 65_534;

const freePort = () =>
  new Promise((found) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => found(port));
    });
  });

const answers = async (port, child) => {
  for (let tries = 0; tries < 1_200 && child.exitCode === null; tries++) {
    const up = await new Promise((told) => {
      const socket = connect(port, '127.0.0.1', () => told(true)).on('error', () => told(false));
      socket.on('connect', () => socket.end());
    });
    if (up) return;
    await new Promise((wake) => setTimeout(wake, 50));
  }
  throw new Error(`nobody listens at ${port}`);
};

const running = async (folder, port, command, args, options) => {
  const child = spawn(command, args, { stdio: 'ignore', ...options });
  const ended = new Promise((end) => child.once('exit', end).once('error', end));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await answers(port, child);
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
};

const kinds = {
  sqlite: async (folder) => ({
    address: `sqlite:${join(folder, 'sessions.db')}`,
    stop: async () => rmSync(folder, { recursive: true, force: true }),
  }),
  redis: async (folder, lasting) => {
    const port = await freePort();
    const args = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'yes', '--appendfsync', lasting ? 'always' : 'everysec', '--dir', folder];
    return { address: `redis://127.0.0.1:${port}`, stop: await running(folder, port, 'redis-server', args) };
  },
  postgres: async (folder, lasting) => {
    const port = await freePort();
    const root = process.getuid() === 0;
    if (root) chownSync(folder, NOBODY, NOBODY);
    const as = root ? { uid: NOBODY, gid: NOBODY } : {};
    const [version] = readdirSync('/usr/lib/postgresql').sort().reverse();
    const bin = `/usr/lib/postgresql/${version}/bin`;
    const data = join(folder, 'data');
    const options = { ...as, cwd: folder, encoding: 'utf8' };
    const made = spawnSync(join(bin, 'initdb'), ['--pgdata', data, '--username=postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'], options);
    if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`);
    writeFileSync(join(data, 'postgresql.auto.conf'), `listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nport = ${port}\nfsync = ${lasting ? 'on' : 'off'}\n`);
    const stop = await running(folder, port, join(bin, 'postgres'), ['-D', data], { ...as, cwd: folder });
    return { address: `postgres://postgres@127.0.0.1:${port}/postgres?sslmode=disable`, stop };
  },
};

/** A store of one of the kinds, or the one at an address; `lasting` is whether what was acknowledged is on the disk. */
export const serverOf = async (kind, { lasting = true } = {}) => {
  const begin = kinds[kind];
  if (!begin) return { address: kind, stop: async () => {} };
  return begin(mkdtempSync(join(tmpdir(), 'tower-jwt-session-')), lasting);
};
