import { describe, expect, it } from 'vitest';
import { Stop } from '../../../src/decision/step.ts';
import { sourceIdentity } from '../../../src/keyset/key-source.ts';
import { createMirroredKeySets, type MissingKeyAnswer } from '../../../src/keyset/mirrored-key-sets.ts';
import type { VerificationKey } from '../../../src/token/key.ts';
import { ecJwk, issuerOf, type Jwk } from './test-keys.ts';

const corp = issuerOf('corp');
const source = sourceIdentity(corp);
const old = ecJwk('old');
const fresh = ecJwk('fresh');
const atOnce: MissingKeyAnswer = { stop: new Stop('key_unknown', 'no such kid'), isAtOnce: true };

/** The other process answers what `answer` says; `questions` are those that it was asked. */
function createStage() {
  const stage = { now: 1000, questions: [] as unknown[], answer: async (): Promise<MissingKeyAnswer> => atOnce };
  const keySets = createMirroredKeySets({
    now: () => stage.now,
    maxStaleMs: 500,
    ask: (...question) => {
      stage.questions.push(question);
      return stage.answer();
    },
  });
  const take = (keys: readonly Jwk[], fetchedAt = 1000): Promise<void> => keySets.take([[source, { fetchedAt, keys }]]);
  const ask = async (kid: string, issuer = corp, waitMs = 200): Promise<string> =>
    say(await keySets.resolve(issuer, { algorithm: 'ES256', kid }, waitMs));
  return { stage, keySets, take, ask };
}

function say(step: Stop | readonly VerificationKey[]): string {
  return step instanceof Stop ? step.reason : step.map(({ kid }) => kid).join(' ');
}

describe('keys that another process fetched', () => {
  it('are there without a promise, whether they or the policy came first', async () => {
    const { stage, keySets, take } = createStage();
    await keySets.update([corp]);
    await take([old]);
    expect(keySets.resolve(corp, { algorithm: 'ES256', kid: 'old' }, 0)).toMatchObject([{ kid: 'old' }]);

    const other = createStage();
    await other.take([old]);
    await other.keySets.update([corp]);
    expect(other.keySets.resolve(corp, { algorithm: 'ES256', kid: 'old' }, 0)).toMatchObject([{ kid: 'old' }]);
    expect([...stage.questions, ...other.stage.questions]).toEqual([]);
  });

  it('JWK-09 a key is there again: the same object; it is gone: asked for', async () => {
    const { stage, keySets, take, ask } = createStage();
    await keySets.update([corp]);
    await take([old]);
    const before = keySets.resolve(corp, { algorithm: 'ES256', kid: 'old' }, 0);
    await take([old, fresh], 1100);
    const after = keySets.resolve(corp, { algorithm: 'ES256', kid: 'old' }, 0);
    expect(Array.isArray(before) && Array.isArray(after) && before[0] === after[0]).toBe(true);
    await take([fresh], 1200);
    expect(await ask('old')).toBe('key_unknown');
    expect(stage.questions).toEqual([['https://corp.test', { algorithm: 'ES256', kid: 'old' }, 200]]);
  });

  it('older than they may be: the other process is asked, and its refusal is the answer', async () => {
    const { stage, keySets, take, ask } = createStage();
    await keySets.update([corp]);
    await take([old]);
    stage.now = 1500;
    expect(await ask('old')).toBe('old');
    stage.now = 1501;
    stage.answer = async () => ({ stop: new Stop('keys_unavailable'), isAtOnce: false });
    expect(await ask('old')).toBe('keys_unavailable');
  });

  it('ALG-01 an algorithm that the issuer does not allow, or no key fits: key_unknown, nobody is asked', async () => {
    const { stage, keySets, take, ask } = createStage();
    const strict = issuerOf('corp', { algorithms: new Set(['RS256']) });
    await keySets.update([corp, strict]);
    await take([{ ...old, alg: 'ES256' }]);
    expect(await ask('old', strict)).toBe('key_unknown');
    expect(say(await keySets.resolve(corp, { algorithm: 'RS256', kid: 'old' }, 200))).toBe('key_unknown');
    expect(stage.questions).toEqual([]);
  });

  it('of the document itself: there with the policy, and a missing one is nobody’s to find', async () => {
    const { stage, keySets, ask } = createStage();
    const inline = issuerOf('inline', { jwks: { kind: 'inline', keys: [old] } });
    await keySets.update([inline]);
    stage.now = 10_000;
    expect(await ask('old', inline)).toBe('old');
    expect(await ask('fresh', inline)).toBe('key_unknown');
    expect(stage.questions).toEqual([]);
  });

  it('an issuer that is not in the policy: keys_unavailable', async () => {
    const { ask } = createStage();
    expect(await ask('old')).toBe('keys_unavailable');
  });
});

describe('a key that is missing', () => {
  it('JWK-08 the other process finds it: it is there when the answer is', async () => {
    const { stage, keySets, take, ask } = createStage();
    await keySets.update([corp]);
    stage.answer = async () => {
      await take([old, fresh]);
      return { stop: undefined, isAtOnce: false };
    };
    expect(await ask('fresh')).toBe('fresh');
  });

  it('refused at once: all missing ones are, for 100 ms or until keys come', async () => {
    const { stage, keySets, take, ask } = createStage();
    await keySets.update([corp]);
    await take([old]);
    expect(await ask('one')).toBe('key_unknown');
    stage.now = 1099;
    expect(await ask('two')).toBe('key_unknown');
    expect(stage.questions).toHaveLength(1);
    expect(await ask('old')).toBe('old');
    stage.now = 1100;
    expect(await ask('three')).toBe('key_unknown');
    expect(stage.questions).toHaveLength(2);
    await take([old, fresh], 1100);
    expect(await ask('four')).toBe('key_unknown');
    expect(stage.questions).toHaveLength(3);
  });

  it('refused after waiting: the next one is asked for too', async () => {
    const { stage, keySets, ask } = createStage();
    await keySets.update([corp]);
    stage.answer = async () => ({ stop: new Stop('keys_unavailable'), isAtOnce: false });
    await ask('one');
    await ask('two');
    expect(stage.questions).toHaveLength(2);
  });

  it('no time to wait: keys_unavailable, nobody is asked', async () => {
    const { stage, keySets, ask } = createStage();
    await keySets.update([corp]);
    expect(await ask('one', corp, 0)).toBe('keys_unavailable');
    expect(stage.questions).toEqual([]);
  });
});
