import { describe, expect, it } from 'vitest';
import { compile, compiling } from '../../../src/policy/compile.ts';
import { parseDocuments, parsing } from '../../../src/policy/document.ts';
import { inOneGo, inSlices, type Slices } from '../../../src/policy/slices.ts';

function* counting(to: number): Slices<number> {
  for (let at = 0; at < to; at += 1) yield;
  return to;
}

const rules = Array.from({ length: 1000 }, (_, index) => ({
  name: `r${index}`,
  paths: [`/p${index}`],
  access: 'deny',
}));
const text = JSON.stringify({ apiVersion: 'scopegate.dev/v1', kind: 'Policy', rules });

describe('slices', () => {
  it('in one go: the result, without a pause', () => expect(inOneGo(counting(3))).toBe(3));

  it('in slices: a pause at each place, and the same result', async () => {
    let pauses = 0;
    const pause = async (): Promise<void> => {
      pauses += 1;
    };
    expect([await inSlices(counting(3), pause), pauses]).toEqual([3, 3]);
  });

  it('a fault in a slice: the caller learns of it', async () => {
    function* failing(): Slices<number> {
      yield;
      throw new Error('fault');
    }
    await expect(inSlices(failing(), async () => {})).rejects.toThrow('fault');
  });

  it('a policy of 1,000 rules: others have a turn in its text and every few hundred rules, and it is the same policy', async () => {
    let pauses = 0;
    const pause = async (): Promise<void> => {
      pauses += 1;
    };
    const { documents } = await inSlices(parsing({ name: 'policy', text }), pause);
    const { snapshot } = await inSlices(compiling(documents), pause);
    expect(snapshot?.hash).toBe(compile(parseDocuments({ name: 'policy', text }).documents).snapshot?.hash);
    expect(snapshot?.rules).toHaveLength(1000);
    expect(pauses).toBeGreaterThanOrEqual(10);
  });
});
