import { setImmediate as tick } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Stop } from '../../../src/decision/step.ts';
import { RequestFailure, type RequestFailureKind } from '../../../src/egress/failure.ts';
import { createIntrospections } from '../../../src/introspection/introspections.ts';
import type { Issuer } from '../../../src/token/issuer.ts';
import type { JsonObject } from '../../../src/token/json.ts';
import { issuerOf } from '../../support/issuer.ts';
import { ManualClock } from '../server/manual-clock.ts';

const startSeconds = 1_795_000_000;

function askable(cacheSeconds = 30, over: Partial<Issuer> = {}): Issuer {
  const authentication = { kind: 'secret', file: '/s' } as const;
  return issuerOf({
    introspection: { clientId: 'us', authentication, uri: undefined, signed: false, cacheSeconds },
    ...over,
  });
}

function active(expiresIn = 300): JsonObject {
  return { active: true, sub: 'ada', aud: 'api', exp: startSeconds + expiresIn };
}

/** Each question ends when the test says so, or at once where `answer` is given. */
function setUp(issuer = askable()) {
  const clock = new ManualClock();
  const open: { readonly token: string; readonly end: (answer: JsonObject | RequestFailure) => void }[] = [];
  const told: string[] = [];
  const introspections = createIntrospections({
    now: () => startSeconds * 1000 + clock.now(),
    schedule: (run, delayMs) => clock.schedule(run, delayMs),
    random: () => 1,
    ask: (_issuer, token) => new Promise((resolve) => open.push({ token, end: resolve })),
    observe: { asked: (_name, result) => told.push(result), fault: () => expect.unreachable() },
  });
  const ask = async (token: string, waitMs = 500) => introspections.introspect(issuer, token, waitMs);
  /** Asks, and does not wait for what comes of it. */
  const begin = (token: string): unknown => introspections.introspect(issuer, token, 500);
  /** Asks, answers, and gives what came of it. */
  async function answered(token: string, answer: JsonObject | RequestFailureKind) {
    const waiting = ask(token);
    await tick();
    open.at(-1)?.end(typeof answer === 'string' ? new RequestFailure(answer) : answer);
    return waiting;
  }
  return { clock, open, told, introspections, ask, begin, answered };
}

const gone = { reason: 'keys_unavailable' };

describe('IN-04 what is remembered', () => {
  const times: Record<string, [cacheSeconds: number, answer: JsonObject, forMs: number]> = {
    'a good token: for the time of the policy': [20, active(), 20_000],
    'a good token near its end: no longer than it lives': [60, active(7), 7000],
    'a token that is not active: ten seconds': [60, { active: false }, 10_000],
    'a token that is not for us: ten seconds': [60, { ...active(), aud: 5 }, 10_000],
    'a refusal, where the policy remembers shorter': [4, { active: false }, 4000],
  };
  it.each(Object.entries(times))('%s', async (_name, [cacheSeconds, answer, forMs]) => {
    const { clock, open, ask, begin, answered } = setUp(askable(cacheSeconds));
    const first = await answered('t', answer);
    clock.advance(forMs - 1);
    expect(await ask('t', 0)).toBe(first);
    clock.advance(1);
    expect(await ask('t', 0)).toMatchObject(gone);
    expect(open).toHaveLength(1);
    begin('t');
    expect(open).toHaveLength(2);
  });

  it('0s: nothing', async () => {
    const { open, answered } = setUp(askable(0));
    await answered('t', active());
    await answered('t', active());
    expect(open).toHaveLength(2);
  });

  it('a failure: not at all', async () => {
    const { answered } = setUp();
    expect(await answered('t', 'timeout')).toMatchObject({ ...gone, detail: 'introspection: timeout' });
    expect(await answered('t', active())).toMatchObject({ claims: { subject: 'ada' } });
  });

  it('a clock that is set back: the answer is asked for anew', async () => {
    const issuer = askable();
    const nowMs = { value: startSeconds * 1000 };
    let questions = 0;
    const { introspect } = createIntrospections({
      now: () => nowMs.value,
      schedule: () => () => {},
      random: () => 0,
      ask: async () => {
        questions += 1;
        return active();
      },
      observe: { asked: () => {}, fault: () => {} },
    });
    await introspect(issuer, 't', 100);
    nowMs.value -= 3_600_000;
    await introspect(issuer, 't', 100);
    expect(questions).toBe(2);
  });

  it('another setting of the issuer: its tokens are asked about anew', async () => {
    const { open, answered, introspections } = setUp();
    await answered('t', active());
    const changed: unknown = introspections.introspect(askable(30, { audiences: ['other'] }), 't', 100);
    expect(changed).toBeInstanceOf(Promise);
    expect(open).toHaveLength(2);
  });

  it('10,000 tokens, and the oldest goes first', async () => {
    const issuer = askable();
    const asked: string[] = [];
    const { introspect } = createIntrospections({
      now: () => startSeconds * 1000,
      schedule: () => () => {},
      random: () => 0,
      ask: async (_issuer, token) => {
        asked.push(token);
        return active();
      },
      observe: { asked: () => {}, fault: () => {} },
    });
    for (let at = 0; at <= 10_000; at += 1) await introspect(issuer, `t${at}`, 100);
    await introspect(issuer, 't1', 100);
    expect(asked).toHaveLength(10_001);
    await introspect(issuer, 't0', 100);
    expect(asked.at(-1)).toBe('t0');
  });
});

describe('questions', () => {
  it('single flight: one for all who ask about a token', async () => {
    const { open, ask } = setUp();
    const waiting = [ask('t'), ask('t'), ask('u')];
    await tick();
    expect(open.map(({ token }) => token)).toEqual(['t', 'u']);
    for (const { end } of open) end(active());
    expect(await Promise.all(waiting)).toHaveLength(3);
  });

  it('a check waits no longer than it may, and the answer serves the next one', async () => {
    const { clock, open, ask } = setUp();
    const waiting = ask('t', 50);
    await tick();
    clock.advance(50);
    expect(await waiting).toMatchObject({ ...gone, detail: 'introspection: no answer in time' });
    open[0]?.end(active());
    await tick();
    expect(await ask('t', 0)).toMatchObject({ claims: { subject: 'ada' } });
  });

  it('who may not wait asks nobody', async () => {
    const { open, ask } = setUp();
    expect(await ask('t', 0)).toMatchObject(gone);
    expect(open).toEqual([]);
  });

  it('64 at one time; the next one is refused without a question, and asked when one has ended', async () => {
    const { open, ask, begin } = setUp();
    for (let at = 0; at < 64; at += 1) begin(`t${at}`);
    await tick();
    expect(await ask('more')).toMatchObject({ ...gone, detail: 'introspection: too many questions at one time' });
    open[0]?.end(active());
    await tick();
    begin('more');
    await tick();
    expect(open).toHaveLength(65);
  });

  it('after the end: nobody is asked', async () => {
    const { open, ask, introspections } = setUp();
    introspections.stop();
    expect(await ask('t')).toMatchObject(gone);
    expect(open).toEqual([]);
  });
});

describe('IN-05 an issuer that is away', () => {
  it('three failures in a row: a second without questions, then two', async () => {
    const { clock, open, ask, answered } = setUp();
    for (const token of ['a', 'b', 'c']) await answered(token, 'connect');
    for (const pause of [1000, 2000]) {
      const before = open.length;
      clock.advance(pause - 1);
      expect(await ask('d')).toMatchObject({ detail: 'introspection: the issuer has not answered for a while' });
      expect(open).toHaveLength(before);
      clock.advance(1);
      await answered('d', 'connect');
      expect(open).toHaveLength(before + 1);
    }
  });

  it('an answer between failures: no pause', async () => {
    const { answered } = setUp();
    for (const token of ['a', 'b']) await answered(token, 'connect');
    await answered('c', { active: false });
    for (const token of ['d', 'e']) await answered(token, 'connect');
    expect(await answered('f', active())).not.toBeInstanceOf(Stop);
  });

  const stumbles: RequestFailureKind[] = [
    'answer_malformed',
    'answer_untrusted',
    'too_large',
    'status_500',
    'status_400',
  ];
  it.each(stumbles)('%s, for as many tokens as somebody sends: the tokens of others are asked about', async (kind) => {
    const { answered } = setUp();
    for (let at = 0; at < 20; at += 1) expect(await answered(`bad${at}`, kind)).toMatchObject(gone);
    expect(await answered('good', active())).not.toBeInstanceOf(Stop);
  });

  it('what came of it is told, and never a token', async () => {
    const { answered, told } = setUp();
    await answered('a', active());
    await answered('b', { active: false });
    await answered('c', { ...active(), aud: 5 });
    await answered('d', 'tls');
    expect(told).toEqual(['active', 'inactive', 'refused', 'tls']);
  });
});
