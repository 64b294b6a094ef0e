import { describe, expect, it } from 'vitest';
import { Stop } from '../../../src/decision/step.ts';
import { hasCredentials, readCredential } from '../../../src/token/bearer.ts';

interface Case {
  values: (string | undefined)[];
  query?: string;
  expected: string;
}

const cases: Record<string, Case> = {
  'BT-01 Bearer and a token: read': { values: ['Bearer a.b.c'], expected: 'Bearer a.b.c' },
  'BT-01 lower-case scheme: read': { values: ['bearer a.b.c'], expected: 'Bearer a.b.c' },
  'BT-01 bEaReR: read': { values: ['bEaReR a'], expected: 'Bearer a' },
  'BT-01 several spaces: read': { values: ['Bearer    a'], expected: 'Bearer a' },
  'BT-01 every token68 character: read': { values: ['Bearer aZ09-._~+/=='], expected: 'Bearer aZ09-._~+/==' },
  'DP-13 DPoP: read with its scheme': { values: ['DPoP a.b.c'], expected: 'DPoP a.b.c' },
  'BT-03 a query without a token: read': { values: ['Bearer a'], query: 'x=access_token&y', expected: 'Bearer a' },
  'no header: token_missing': { values: [], expected: 'token_missing' },
  'an empty header: token_missing': { values: [''], expected: 'token_missing' },
  'BT-06 Basic: token_missing': { values: ['Basic dXNlcjpwYXNz'], expected: 'token_missing' },
  'BT-06 Digest with commas: token_missing': { values: ['Digest username="a", realm="b"'], expected: 'token_missing' },
  'BT-06 a scheme that begins with Bearer: token_missing': { values: ['Bearerx a'], expected: 'token_missing' },
  'BT-03 a token in the query alone: token_missing': { values: [], query: 'access_token=a', expected: 'token_missing' },
  'Bearer alone: credentials_malformed': { values: ['Bearer'], expected: 'credentials_malformed' },
  'Bearer and a space: credentials_malformed': { values: ['Bearer '], expected: 'credentials_malformed' },
  'BT-01 a TAB makes another scheme: token_missing': { values: ['Bearer\ta'], expected: 'token_missing' },
  'BT-01 a TAB behind the space: credentials_malformed': { values: ['Bearer \ta'], expected: 'credentials_malformed' },
  'BT-01 NBSP: credentials_malformed': { values: ['Bearer \u00a0a'], expected: 'credentials_malformed' },
  'a space in the token: credentials_malformed': { values: ['Bearer a b'], expected: 'credentials_malformed' },
  'EA-40 two joined: credentials_malformed': { values: ['Bearer a,Bearer b'], expected: 'credentials_malformed' },
  'EA-40 Basic joined with Bearer: credentials_malformed': {
    values: ['Basic a,Bearer b'],
    expected: 'credentials_malformed',
  },
  'EA-40 two entries: credentials_malformed': { values: ['Bearer a', 'Bearer b'], expected: 'credentials_malformed' },
  'EA-41 no UTF-8: credentials_malformed': { values: [undefined], expected: 'credentials_malformed' },
  'BT-03 header and query: credentials_malformed': {
    values: ['Bearer a'],
    query: 'x=1&access_token=b',
    expected: 'credentials_malformed',
  },
  'BT-03 header and encoded query: credentials_malformed': {
    values: ['Bearer a'],
    query: 'access%5Ftoken=b',
    expected: 'credentials_malformed',
  },
};

const headersOf = (values: (string | undefined)[]) => ({
  values: (name: string) => (name === 'authorization' ? values : []),
  underscoreNames: [],
});

describe('readCredential', () => {
  it.each(Object.entries(cases))('%s', (_name, { values, query = '', expected }) => {
    const step = readCredential(headersOf(values), query);
    expect(step instanceof Stop ? step.reason : `${step.scheme} ${step.token}`).toBe(expected);
  });
});

describe('hasCredentials', () => {
  it.each([
    ['Bearer a', true],
    ['dpop a', true],
    ['Bearer', true],
    ['Basic a', false],
    ['Bearerx a', false],
  ])('%s: %s', (value, expected) => {
    expect(hasCredentials(headersOf([value]))).toBe(expected);
  });
});
