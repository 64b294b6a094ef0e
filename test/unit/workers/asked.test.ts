/** What a worker makes of the primary's answers, and of none. */
import { describe, expect, it } from 'vitest';
import { Stop } from '../../../src/decision/step.ts';
import type { OAuthClient } from '../../../src/token/oauth-client.ts';
import { askForKeys, askForProofs, askForTokens } from '../../../src/workers/asked.ts';
import type { Answer } from '../../../src/workers/message.ts';
import { createQuestions } from '../../../src/workers/questions.ts';
import { issuerOf } from '../../support/issuer.ts';

const proof = { digest: 'd', requestId: '', expiresAtMs: 60_000 };
const taken = async (): Promise<void> => {};
const hint = { algorithm: 'ES256', kid: 'k' } as const;

const proofs: Record<string, [answer: Answer | undefined, novelty: string]> = {
  'new at the primary: new': [{ kind: 'proof', novelty: 'new' }, 'new'],
  'seen at another worker: repeated': [{ kind: 'proof', novelty: 'repeated' }, 'repeated'],
  'no answer in time: unknown, never new': [undefined, 'unknown'],
};

it.each(Object.entries(proofs))('DP-14 %s', async (_name, [answer, novelty]) => {
  expect(await askForProofs(async () => answer).remember(proof, 1)).toBe(novelty);
});

describe('keys', () => {
  it('what was told before the answer is in use by then', async () => {
    const order: string[] = [];
    const ask = askForKeys(
      async () => ({ kind: 'key', stop: undefined, isAtOnce: false }),
      async () => void order.push('taken'),
    );
    expect(await ask('https://corp.test', hint, 5)).toEqual({ stop: undefined, isAtOnce: false });
    expect(order).toEqual(['taken']);
  });

  it('refused: a Stop with the reason of the primary', async () => {
    const stop = { reason: 'key_unknown', detail: 'no such kid' } as const;
    const { stop: refused } = await askForKeys(async () => ({ kind: 'key', stop, isAtOnce: true }), taken)(
      'i',
      hint,
      5,
    );
    expect(refused).toBeInstanceOf(Stop);
    expect(refused).toMatchObject(stop);
  });

  it('no answer in time: keys_unavailable, and the next one is asked for again', async () => {
    const answer = await askForKeys(async () => undefined, taken)('i', hint, 5);
    expect(answer).toMatchObject({ stop: { reason: 'keys_unavailable' }, isAtOnce: false });
  });
});

describe('tokens of clients', () => {
  const client: OAuthClient = {
    name: 'billing',
    issuer: issuerOf(),
    clientId: 'orders',
    authentication: { kind: 'secret_basic', file: '/secret' } as never,
    scopes: [],
    resource: undefined,
  };

  function createStage(answer: Answer | undefined) {
    const stage = { now: 0, asked: 0 };
    const resolve = askForTokens(
      async () => {
        stage.asked += 1;
        return answer;
      },
      () => stage.now,
    );
    return { stage, ask: async () => resolve(client, 100) };
  }

  it('held for five seconds, and no longer than it is good', async () => {
    const { stage, ask } = createStage({ kind: 'token', token: 'ours', leftMs: 60_000 });
    expect([await ask(), await ask()]).toEqual(['ours', 'ours']);
    stage.now = 4999;
    await ask();
    expect(stage.asked).toBe(1);
    stage.now = 5000;
    await ask();
    expect(stage.asked).toBe(2);

    const short = createStage({ kind: 'token', token: 'ours', leftMs: 10 });
    await short.ask();
    short.stage.now = 10;
    await short.ask();
    expect(short.stage.asked).toBe(2);
  });

  it('none at the primary, or no answer: refused, and asked for again', async () => {
    const stop = { reason: 'upstream_token_unavailable', detail: 'client billing: token request: timeout' } as const;
    const { stage, ask } = createStage({ kind: 'no_token', stop });
    expect(await ask()).toMatchObject(stop);
    expect(await ask()).toBeInstanceOf(Stop);
    expect(stage.asked).toBe(2);
    expect(await createStage(undefined).ask()).toMatchObject({ reason: 'upstream_token_unavailable' });
  });
});

describe('questions', () => {
  const about = { kind: 'proof', proof, nowMs: 1 } as const;

  function createStage() {
    const sent: { id: number }[][] = [];
    const timers: (() => void)[] = [];
    const questions = createQuestions({
      send: (list) => void sent.push([...list]),
      schedule: (callback) => {
        timers.push(callback);
        return () => void timers.splice(timers.indexOf(callback), 1);
      },
    });
    return { questions, sent, timers };
  }

  it('asked in one turn: one message; each has its own answer, in whichever order', async () => {
    const { questions, sent, timers } = createStage();
    const both = [questions.ask(about, 10), questions.ask(about, 10)];
    await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent.map((list) => list.map(({ id }) => id))).toEqual([[1, 2]]);
    questions.answered([{ id: 2, about: { kind: 'proof', novelty: 'repeated' } }]);
    questions.answered([{ id: 1, about: { kind: 'proof', novelty: 'new' } }]);
    expect(await Promise.all(both)).toMatchObject([{ novelty: 'new' }, { novelty: 'repeated' }]);
    expect(timers).toEqual([]);
  });

  it('the time is over: undefined; an answer that comes later changes nothing', async () => {
    const { questions, timers } = createStage();
    const asked = questions.ask(about, 10);
    timers[0]?.();
    expect(await asked).toBeUndefined();
    questions.answered([{ id: 1, about: { kind: 'proof', novelty: 'new' } }]);
    expect(await asked).toBeUndefined();
  });
});
