/** The whole room over a real connection, with the clock and timers of the process. */
import { afterEach, expect, it, vi } from 'vitest';
import type { FailureKind } from '../../../src/keyset/failure.ts';
import { createKeySets, type KeySets } from '../../../src/keyset/key-sets.ts';
import { type KeySetObserver, systemPorts } from '../../../src/keyset/ports.ts';
import { defaultRefreshOptions } from '../../../src/keyset/refresh.ts';
import type { Issuer } from '../../../src/token/issuer.ts';
import { type JwksServer, readTestPem, startJwksServer } from '../../support/jwks-server.ts';
import { ecJwk, issuerOf } from './test-keys.ts';

let keySets: KeySets | undefined;
let server: JwksServer | undefined;

afterEach(async () => {
  keySets?.stop();
  await server?.close();
});

/** Key sets, and the results of the attempts as they end. */
function start(issuer: Issuer): { readonly sets: KeySets; readonly result: Promise<'ok' | FailureKind> } {
  const { promise, resolve } = Promise.withResolvers<'ok' | FailureKind>();
  const observe: KeySetObserver = {
    fetched: (_name, result) => resolve(result),
    ignored: () => {},
    changed: () => {},
    fault: (_name, error) => {
      throw error;
    },
  };
  const sets = createKeySets(defaultRefreshOptions, systemPorts(observe));
  keySets = sets;
  sets.update([issuer]);
  return { sets, result: promise };
}

it('DI-01 JWK-07 JWK-08 discovery over TLS of a private CA: keys, rotation, and no fetch for a flood', async () => {
  server = await startJwksServer({ tls: true });
  server.discover('/realms/corp');
  server.publish([ecJwk('old')]);
  const issuer = issuerOf('corp', {
    issuer: `${server.origin}/realms/corp`,
    jwks: { kind: 'discovery' },
    ca: readTestPem('ca.pem'),
  });
  const { sets } = start(issuer);
  expect(await sets.resolve(issuer, { algorithm: 'ES256', kid: 'old' }, 5000)).toMatchObject([{ kid: 'old' }]);
  server.publish([ecJwk('new')]);
  expect(await sets.resolve(issuer, { algorithm: 'ES256', kid: 'new' }, 5000)).toMatchObject([{ kid: 'new' }]);
  for (let count = 0; count < 1000; count += 1) {
    const hint = { algorithm: 'ES256', kid: `random-${count}` } as const;
    expect(await sets.resolve(issuer, hint, 5000)).toMatchObject({ reason: 'key_unknown' });
  }
  expect(server.requests).toEqual([
    'GET /realms/corp/.well-known/openid-configuration',
    'GET /jwks',
    'GET /realms/corp/.well-known/openid-configuration',
    'GET /jwks',
  ]);
});

it('JWK-07 a private CA that the policy does not name: tls', async () => {
  server = await startJwksServer({ tls: true });
  server.publish([ecJwk('old')]);
  const { result } = start(issuerOf('corp', { jwks: { kind: 'uri', uri: server.jwksUri } }));
  expect(await result).toBe('tls');
});

it('JWK-07 http without allowHttp: url_refused, nothing is asked', async () => {
  server = await startJwksServer();
  server.publish([ecJwk('old')]);
  const { result } = start(issuerOf('corp', { jwks: { kind: 'uri', uri: server.jwksUri } }));
  expect(await result).toBe('url_refused');
  expect(server.requests).toEqual([]);
});

it('JWK-08 an issuer that hangs: a check waits for its deadline and no longer', async () => {
  server = await startJwksServer();
  server.serve('/jwks', { fault: 'hang' });
  const issuer = issuerOf('corp', {
    jwks: { kind: 'uri', uri: server.jwksUri },
    insecure: { allowHttp: true, anyHost: false },
  });
  const { sets } = start(issuer);
  await server.asked('/jwks', 1);
  expect(await sets.resolve(issuer, { algorithm: 'ES256', kid: 'a' }, 20)).toMatchObject({
    reason: 'keys_unavailable',
  });
});

it('a delay longer than a timer can take: does not fire at once', () => {
  vi.useFakeTimers();
  const callback = vi.fn<() => void>();
  const ports = systemPorts({ fetched: () => {}, ignored: () => {}, changed: () => {}, fault: () => {} });
  const cancel = ports.schedule(callback, 2 ** 40);
  vi.advanceTimersByTime(1000);
  expect(callback).not.toHaveBeenCalled();
  cancel();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});
