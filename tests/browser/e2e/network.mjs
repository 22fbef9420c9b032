// A network between browser and server that is slow and loses answers to refreshes, and remembers
// what became of each.

import http from 'node:http';

const REFRESH = '/api/auth/refresh';

/** Numbers from 0 to 1, the same for the same seed. */
export const numbers = (seed) => () => {
  seed = (seed * 1664525 + 1013904223) % 4294967296;
  return seed / 4294967296;
};

/**
 * Stands before `server`. The answer to a refresh takes up to `delay` milliseconds, half of it on the
 * way there, and one of each five is lost: the connection breaks after the server has answered. Which,
 * and how long, follows from `seed`.
 */
export const network = async (server, { delay, seed }) => {
  const [fate, slowness] = [numbers(seed), numbers(seed + 1)];
  const { hostname, port } = new URL(server.address);
  const log = [];
  let unlucky = 0;
  const isLost = () => {
    const place = log.filter(({ answered }) => answered).length % 5;
    if (place === 0) unlucky = Math.floor(fate() * 5);
    return place === unlucky;
  };
  const pause = () => new Promise((wake) => setTimeout(wake, (slowness() * delay) / 2));

  const forward = (request, body) =>
    new Promise((answered, failed) => {
      const { method, url: path, headers } = request;
      const onward = http.request({ hostname, port, method, path, headers }, answered);
      onward.on('error', failed);
      request.on('close', () => request.destroyed && !request.complete && onward.destroy());
      onward.end(body);
    });

  const read = async (stream) => {
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    return Buffer.concat(chunks);
  };

  const refreshed = async (request, response, body) => {
    const line = { at: Date.now() };
    log.push(line);
    // The tab was closed before it had its answer.
    response.on('close', () => (line.gone = !line.lost && !response.writableFinished));
    await pause();
    const answer = await forward(request, body);
    const data = await read(answer);
    const { generation, code } = JSON.parse(data);
    Object.assign(line, { lost: isLost(), answered: Date.now(), status: answer.statusCode, generation, code });
    await pause();
    if (line.lost) return response.destroy();
    response.writeHead(answer.statusCode, answer.headers).end(data);
  };

  const proxy = http.createServer(async (request, response) => {
    try {
      const body = await read(request);
      if (request.url === REFRESH && request.method === 'POST') return await refreshed(request, response, body);
      const answer = await forward(request, body);
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
      response.on('close', () => answer.destroy());
    } catch {
      response.destroy();
    }
  });
  await new Promise((bound) => proxy.listen(0, '127.0.0.1', bound));
  return {
    ...server,
    address: `http://127.0.0.1:${proxy.address().port}`,
    /** One line for each refresh: when it came, what the server answered, whether that was lost. */
    log,
    stop: () => {
      proxy.close();
      proxy.closeAllConnections();
      return server.stop();
    },
  };
};
