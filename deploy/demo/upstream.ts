/**
 * Promises: an upstream that answers every request with what arrived, and counts, so that a refused request can be shown not to
 * have arrived.
 */
import { listen } from './local-server.ts';

/** The upstream's answer. */
export interface Echo {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Upstream {
  readonly port: number;
  /** Requests that arrived so far. */
  count(): number;
  stop(): Promise<void>;
}

export async function startUpstream(): Promise<Upstream> {
  let count = 0;
  const server = await listen('the upstream', 0, (request, response) => {
    count += 1;
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    // The token is not shown back: curl's output ends up in terminals and tickets.
    if (headers['authorization'] !== undefined) headers['authorization'] = 'Bearer …';
    const echo: Echo = { method: request.method ?? '', path: request.url ?? '', headers };
    request.resume();
    response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify(echo, undefined, 2)}\n`);
  });
  return { port: server.port, count: () => count, stop: () => server.stop() };
}
