import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it, vi } from 'vitest';
import type { ReviewPolicy } from '../../../src/admission/admit.ts';
import { type AdmissionParts, startAdmission } from '../../../src/sidecar/admission.ts';

const tls = new URL('../../support/tls/', import.meta.url);
const ca = readFileSync(new URL('ca.pem', tls));
const cleanUps: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

interface Served {
  readonly address: string;
  readonly lines: unknown[];
  readonly fault: ReturnType<typeof vi.fn>;
}

async function serve(review: ReviewPolicy): Promise<Served> {
  const lines: unknown[] = [];
  const info = (line: unknown): void => void lines.push(line);
  const fault = vi.fn();
  const log = { info, error: info } as unknown as AdmissionParts['log'];
  const [certFile, keyFile] = ['server.pem', 'server-key.pem'].map((name) => fileURLToPath(new URL(name, tls)));
  const running = await startAdmission(
    { address: '127.0.0.1:0', certFile: certFile!, keyFile: keyFile! },
    { review, log, fault },
  );
  cleanUps.push(() => running.stop());
  return { address: running.address, lines, fault };
}

async function apply(address: string, name: string): Promise<{ status: number | undefined; body: string }> {
  const review = {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'a',
      operation: 'CREATE',
      resource: { group: '', version: 'v1', resource: 'configmaps' },
      namespace: 'shop',
      name,
      object: { data: { 'policy.yaml': 'x' } },
    },
  };
  const [host, port] = address.split(':') as [string, string];
  const headers = { 'content-type': 'application/json' };
  const sent = request({ host, port, path: '/validate', method: 'POST', headers, ca, agent: false });
  sent.end(JSON.stringify(review));
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode, body: Buffer.concat(chunks).toString() };
}

it('a review: answered, and its outcome logged', async () => {
  const error = { severity: 'error', file: 'configmap/shop/policy/policy.yaml', line: 1, column: 1 } as const;
  const { address, lines } = await serve(async (source) =>
    source === 'configmap/shop/bad' ? [{ ...error, code: 'wrong_type', message: 'no' }] : [],
  );
  expect(await apply(address, 'good')).toMatchObject({ status: 200, body: expect.stringContaining('"allowed":true') });
  expect(await apply(address, 'bad')).toMatchObject({ status: 200, body: expect.stringContaining('"allowed":false') });
  expect(lines).toEqual([
    { source: 'configmap/shop/good', allowed: true },
    { source: 'configmap/shop/bad', allowed: false },
  ]);
});

it('reviews that come together: one after the other, and what does not fit in the queue is 503', async () => {
  const begun: string[] = [];
  const first = Promise.withResolvers<readonly never[]>();
  let running = 0;
  let most = 0;
  const { address } = await serve(async (source) => {
    begun.push(source);
    running += 1;
    most = Math.max(most, running);
    if (begun.length === 1) await first.promise;
    running -= 1;
    return [];
  });
  const asked = Array.from({ length: 9 }, (_, at) => apply(address, `p${at}`));
  // The one that does not fit is answered while the first is still reviewed.
  const refused = await Promise.race(asked);
  expect(refused).toEqual({ status: 503, body: '{"error":"overloaded"}\n' });
  expect(begun).toHaveLength(1);
  first.resolve([]);
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  expect(statuses.toSorted((a = 0, b = 0) => a - b)).toEqual([200, 200, 200, 200, 200, 200, 200, 200, 503]);
  expect([begun.length, most]).toEqual([8, 1]);
});

it('a review that fails: 500, the fault is told, and the next one is reviewed', async () => {
  const bug = new Error('bug');
  const { address, fault } = await serve((source) =>
    source === 'configmap/shop/bad' ? Promise.reject(bug) : Promise.resolve([]),
  );
  expect(await apply(address, 'bad')).toEqual({ status: 500, body: '{"error":"internal_error"}\n' });
  expect(fault.mock.calls).toEqual([[bug]]);
  expect(await apply(address, 'good')).toMatchObject({ status: 200 });
});
