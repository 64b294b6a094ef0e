import { describe, expect, it } from 'vitest';
import { lint } from '../../../src/rehearsal/lint.ts';

const nowMs = 1_800_000_000_000;
const head = 'apiVersion: scopegate.dev/v1\nkind: Policy\n';
const issuers = 'issuers: [{ name: corp, issuer: https://idp.test, audiences: [api] }]\n';
const good = '  - { name: good, paths: [/e], require: { scopes: [e] } }\n';
const fails = '  - { name: fails, request: GET https://h/e, token: none, expect: { decision: allow } }\n';
const passes = '  - { name: passes, request: GET https://h/e, token: none, expect: { decision: deny } }\n';
const touches = '  - { name: touches, request: GET https://h/c, token: none, expect: { decision: allow } }\n';

interface Case {
  text: string;
  codes: string[];
  failing: string[];
}

const cases: Record<string, Case> = {
  'equal rules, a typo, a bad type in a condition and a failing test: all in one run': {
    text: `${issuers}rules:
  - { name: one, paths: [/a], require: { scopes: [a] } }
  - { name: two, paths: [/a], require: { scopes: [b] } }
  - { name: typo, paths: [/c], acces: public }
  - { name: cel, paths: [/d], require: { when: request.method == 1 } }
${good}tests:\n${fails}${passes}${touches}`,
    codes: ['equal_rules', 'unknown_field', 'condition'],
    failing: ['fails'],
  },
  'a test with a mistake of its own: not run, the others are': {
    text: `${issuers}rules:\n${good}tests:\n${fails}  - { name: bad, request: GET https://h/e, token: none, expect: { decision: maybe } }\n`,
    codes: ['wrong_value'],
    failing: ['fails'],
  },
  'a bad issuer: it may change any answer, no test is run': {
    text: `issuers: [{ name: corp, issuer: "http://idp.test", audiences: [api] }]\nrules:\n${good}tests:\n${fails}`,
    codes: ['insecure_url'],
    failing: [],
  },
  'a rule whose path is not known: it may take any request, no test is run': {
    text: `${issuers}rules:\n  - { name: lost, paths: [a] }\n${good}tests:\n${fails}`,
    codes: ['path'],
    failing: [],
  },
};

describe('lint of a bad policy', () => {
  it.each(Object.entries(cases))('%s', async (_name, { text, codes, failing }) => {
    const result = await lint([{ name: 'f.yaml', text: head + text }], nowMs);
    const errors = result.problems.filter(({ severity }) => severity === 'error');
    expect(errors.map(({ code }) => code)).toEqual(codes);
    expect(result.failing.map(({ test }) => test.name)).toEqual(failing);
    expect([result.snapshot, result.rehearsals]).toEqual([undefined, []]);
  });
});
