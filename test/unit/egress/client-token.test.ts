import { setImmediate as tick } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Stop } from '../../../src/decision/step.ts';
import { createClientTokens } from '../../../src/egress/client-tokens.ts';
import { RequestFailure, type RequestFailureKind } from '../../../src/egress/failure.ts';
import type { GivenToken } from '../../../src/egress/request-token.ts';
import type { OAuthClient } from '../../../src/token/oauth-client.ts';
import { issuerOf } from '../../support/issuer.ts';
import { ManualClock } from '../server/manual-clock.ts';

const billing: OAuthClient = {
  name: 'billing',
  issuer: issuerOf(),
  clientId: 'orders-svc',
  authentication: { kind: 'secret', file: '/s' },
  scopes: [],
  resource: undefined,
};
const minute = 60_000;

/** Each request ends when the test says so. */
function setUp(jitter = 1) {
  const clock = new ManualClock();
  const asked: { readonly at: number; readonly end: (outcome: GivenToken | RequestFailure) => void }[] = [];
  const told: [client: string, result: string][] = [];
  const faults: unknown[] = [];
  const tokens = createClientTokens({
    now: () => clock.now(),
    schedule: (run, delayMs) => clock.schedule(run, delayMs),
    random: () => jitter,
    request: () => new Promise((resolve) => asked.push({ at: clock.now(), end: resolve })),
    observe: { requested: (...one) => told.push(one), fault: (_client, error) => faults.push(error) },
  });
  async function give(accessToken: string, lifetimeMs = 10 * minute): Promise<void> {
    asked.at(-1)?.end({ accessToken, lifetimeMs });
    await tick();
  }
  async function fail(kind: RequestFailureKind): Promise<void> {
    asked.at(-1)?.end(new RequestFailure(kind));
    await tick();
  }
  return { clock, asked, told, faults, tokens, give, fail };
}

describe('the token of a client', () => {
  it('is asked for when the policy arrives, and then at hand without a wait', async () => {
    const { tokens, asked, give, told } = setUp();
    tokens.update([billing]);
    expect(asked).toHaveLength(1);
    await give('one');
    expect(tokens.resolve(billing, 0)).toBe('one');
    expect(told).toEqual([['billing', 'ok']]);
  });

  it('single flight: all who wait get the token of the one attempt', async () => {
    const { tokens, asked, give } = setUp();
    tokens.update([billing]);
    const waiting = [1, 2, 3].map(async () => tokens.resolve(billing, 500));
    await give('one');
    expect(await Promise.all(waiting)).toEqual(['one', 'one', 'one']);
    expect(asked).toHaveLength(1);
  });

  it('a check waits no longer than it may, and the attempt goes on', async () => {
    const { tokens, clock, give } = setUp();
    tokens.update([billing]);
    const waiting = tokens.resolve(billing, 200);
    clock.advance(200);
    expect(await waiting).toMatchObject({
      reason: 'upstream_token_unavailable',
      detail: 'client billing: no token in time',
    });
    expect(tokens.resolve(billing, 0)).toBeInstanceOf(Stop);
    await give('one');
    expect(tokens.resolve(billing, 0)).toBe('one');
  });

  const renewals: Record<string, [lifetimeMs: number, jitter: number, atMs: number]> = {
    'ten minutes: at four fifths': [10 * minute, 1, 8 * minute],
    'ten minutes, with chance: up to a tenth of that sooner': [10 * minute, 0, 7.2 * minute],
    'one minute: half a minute before its end': [minute, 1, 30_000],
    'ten seconds: at half of its life': [10_000, 1, 5000],
  };
  it.each(Object.entries(renewals))('renewal of a token for %s', async (_name, [lifetimeMs, jitter, atMs]) => {
    const { tokens, clock, asked, give } = setUp(jitter);
    tokens.update([billing]);
    await give('one', lifetimeMs);
    clock.advance(atMs - 1);
    expect(asked).toHaveLength(1);
    clock.advance(1);
    expect(asked.map(({ at }) => at)).toEqual([0, atMs]);
    expect(tokens.resolve(billing, 0)).toBe('one');
    await give('two', lifetimeMs);
    expect(tokens.resolve(billing, 0)).toBe('two');
  });

  it('renewal that fails: the old one serves to the end of its life, and not past it', async () => {
    const { tokens, clock, give, fail } = setUp();
    tokens.update([billing]);
    await give('one');
    clock.advance(8 * minute);
    await fail('oauth_invalid_client');
    clock.advance(2 * minute - 5001);
    expect(tokens.resolve(billing, 0)).toBe('one');
    expect(tokens.status().get('billing')).toMatchObject({ hasToken: true, lastError: 'oauth_invalid_client' });
    clock.advance(1);
    expect(tokens.resolve(billing, 0)).toMatchObject({
      reason: 'upstream_token_unavailable',
      detail: 'client billing: token request: oauth_invalid_client',
    });
    expect(tokens.status().get('billing')).toMatchObject({ hasToken: false, leftSeconds: undefined });
  });

  it('failures: asked again after 1, 2, 4, 8, 16, 30, 30 s, however many requests come meanwhile', async () => {
    const { tokens, clock, asked, fail } = setUp();
    tokens.update([billing]);
    const pauses: number[] = [];
    for (const pause of [1, 2, 4, 8, 16, 30, 30]) {
      await fail('connect');
      const before = asked.length;
      clock.advance(pause * 1000 - 1);
      expect(tokens.resolve(billing, 100)).toBeInstanceOf(Stop);
      expect(asked).toHaveLength(before);
      clock.advance(1);
      pauses.push((asked.at(-1)?.at ?? 0) - (asked.at(-2)?.at ?? 0));
    }
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });

  it('a fault of ours: told of, and tried again', async () => {
    const { clock } = setUp();
    const faults: unknown[] = [];
    let calls = 0;
    const tokens = createClientTokens({
      now: () => clock.now(),
      schedule: (run, delayMs) => clock.schedule(run, delayMs),
      random: () => 1,
      request: () => {
        calls += 1;
        throw new Error('a bug');
      },
      observe: { requested: () => {}, fault: (_client, error) => faults.push(error) },
    });
    tokens.update([billing]);
    await tick();
    clock.advance(1000);
    expect([calls, faults.length]).toEqual([2, 2]);
    expect(tokens.resolve(billing, 0)).toBeInstanceOf(Stop);
  });
});

describe('a new policy', () => {
  it('with the same client: its token stays; for the old object too', async () => {
    const { tokens, asked, give } = setUp();
    tokens.update([billing]);
    await give('one');
    const again = { ...billing };
    tokens.update([again]);
    expect([tokens.resolve(again, 0), tokens.resolve(billing, 0), asked.length]).toEqual(['one', 'one', 1]);
  });

  const changes: Record<string, Partial<OAuthClient>> = {
    'another scope': { scopes: ['a'] },
    'another resource': { resource: 'https://a.test' },
    'another id': { clientId: 'b' },
    'another secret': { authentication: { kind: 'secret', file: '/t' } },
    'another issuer': { issuer: issuerOf({ issuer: 'https://other.test' }) },
    'another CA': { issuer: issuerOf({ ca: 'x' }) },
  };
  it.each(Object.entries(changes))('%s: another token, and nobody gets the old one for it', async (_name, change) => {
    const { tokens, asked, give } = setUp();
    tokens.update([billing]);
    await give('one');
    const changed = { ...billing, ...change };
    tokens.update([changed]);
    expect([tokens.resolve(changed, 0), asked.length]).toEqual([expect.any(Stop), 2]);
    expect(tokens.resolve(billing, 0)).toBe('one');
  });

  it('without the client: no renewal, no status', async () => {
    const { tokens, asked, give, clock } = setUp();
    tokens.update([billing]);
    await give('one');
    tokens.update([]);
    clock.advance(60 * minute);
    expect([asked.length, tokens.status().size, clock.pending()]).toEqual([1, 0, 0]);
  });

  it('a client that no policy has: no token', () => {
    const { tokens } = setUp();
    expect(tokens.resolve(billing, 100)).toMatchObject({ reason: 'upstream_token_unavailable' });
  });

  it('after the end: nothing is asked for', async () => {
    const { tokens, asked, clock, give } = setUp();
    tokens.update([billing]);
    await give('one');
    tokens.stop();
    clock.advance(60 * minute);
    tokens.update([{ ...billing, clientId: 'b' }]);
    expect(asked).toHaveLength(1);
  });
});
