/** What node:http2 writes is what we read: an encoder and a Huffman code that are not ours. */
import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FrameReader } from '../../../src/http2/frame-reader.ts';
import { HpackDecoder } from '../../../src/http2/hpack.ts';
import { emptySettings, frame, number, types } from '../../support/http2-bytes.ts';

type Fields = readonly (readonly [string, string])[];

let server: Server;
let session: ClientHttp2Session;
let arrived: ((fields: Fields) => void) | undefined;

/** Reads requests, resets each, and passes its fields on. */
function serve(socket: Socket): void {
  const decoder = new HpackDecoder();
  const reader = new FrameReader(({ type, stream, payload }) => {
    if (type !== types.headers) return;
    const fields: [string, string][] = [];
    decoder.decode(payload, ({ name, value }) => fields.push([name, value]));
    socket.write(frame(types.reset, 0, stream, number(8)));
    arrived?.(fields);
  });
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => reader.read(chunk));
  socket.write(emptySettings);
}

beforeAll(async () => {
  server = createServer(serve).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  session = connect(`http://127.0.0.1:${address.port}`);
  await once(session, 'remoteSettings');
});

afterAll(() => {
  session.destroy();
  server.close();
});

async function send(headers: Record<string, string | string[]>): Promise<Fields> {
  const { promise, resolve } = Promise.withResolvers<Fields>();
  arrived = resolve;
  const stream = session.request({ ':path': '/', ...headers }, { endStream: true });
  stream.on('error', () => undefined);
  return promise;
}

const name = fc.stringMatching(/^x-[a-z0-9_-]{1,20}$/);
/** Node sends what Latin-1 has; every character but those that a value cannot have or begin with. */
const value = fc
  .array(fc.integer({ min: 0x21, max: 0xff }), { maxLength: 80 })
  .map((codes) => String.fromCharCode(...codes.filter((code) => code !== 0x7f)));

it('any fields, over one connection and its table: arrive as they were sent', async () => {
  await fc.assert(
    fc.asyncProperty(fc.dictionary(name, value, { maxKeys: 12 }), async (headers) => {
      const fields = await send(headers);
      const own = fields.filter(([key]) => key.startsWith('x-'));
      expect(Object.fromEntries(own)).toEqual({ ...headers });
      expect(own).toHaveLength(Object.keys(headers).length);
    }),
    { numRuns: 300 },
  );
});

it('every byte that a value can have: arrives', async () => {
  const all = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).filter(
    (char) => char > ' ' && char !== '\x7f',
  );
  for (const char of all) {
    expect(await send({ 'x-char': `a${char.repeat(3)}b` })).toContainEqual(['x-char', `a${char.repeat(3)}b`]);
  }
});

it('header block in several frames, and of more than the table holds: arrives', async () => {
  const headers = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`x-${index}`, `${index}`.repeat(300)]));
  const fields = await send(headers);
  expect(Object.fromEntries(fields.filter(([key]) => key.startsWith('x-')))).toEqual(headers);
});
