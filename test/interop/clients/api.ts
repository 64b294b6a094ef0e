/** Promises: the API as a Node program reaches it: under the name that the world knows, at Envoy's address. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text as readAll } from 'node:stream/consumers';
import type { Answer, Settings } from './settings.ts';

/** `GET url`, where DNS and TLS would lead. Node's own `fetch` sends no Host but that of the address. */
export async function fetchFromApi({ api }: Settings, url: string, headers = new Headers()): Promise<Response> {
  const target = new URL(api.url);
  target.pathname = new URL(url).pathname;
  const sent = request(target, { headers: { ...Object.fromEntries(headers), host: api.host }, agent: false });
  sent.end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const received = new Headers();
  for (const [name, values = []] of Object.entries(answer.headersDistinct)) {
    for (const value of values) received.append(name, value);
  }
  return new Response(await readAll(answer), { status: answer.statusCode ?? 0, headers: received });
}

export async function answerOf(response: Response): Promise<Answer> {
  return { status: response.status, body: await response.text() };
}
