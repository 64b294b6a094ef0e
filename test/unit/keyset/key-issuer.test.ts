import { expect, it } from 'vitest';
import { ownKeys } from '../../../src/keyset/key-issuer.ts';

const tenant = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490';
const v2 = `https://login.microsoftonline.com/${tenant}/v2.0`;
const v1 = `https://sts.windows.net/${tenant}/`;

const keys = {
  none: { kid: 'none' },
  any: { kid: 'any', issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0' },
  v2: { kid: 'v2', issuer: v2 },
  v1: { kid: 'v1', issuer: v1 },
  other: { kid: 'other', issuer: v2.replace(tenant, '5a4a0d4c-7a3b-4e0e-9f3e-6d2a54e0d7b9') },
  odd: { kid: 'odd', issuer: null },
  longer: { kid: 'longer', issuer: `${v2}/` },
};
const document = { keys: Object.values(keys) };

const cases: Record<string, [issuer: string, kept: readonly string[]]> = {
  'IDP-04 version 2: its own': [v2, ['none', 'any', 'v2']],
  'IDP-04 version 1: its own, and those of version 2 of the tenant': [v1, ['none', 'any', 'v2', 'v1']],
  'IDP-04 another host: the keys that name no issuer': [`https://login.example.com/${tenant}/v2.0`, ['none']],
};

it.each(Object.entries(cases))('%s', (_name, [issuer, kept]) => {
  const { keys: found } = ownKeys(document, { issuer, tenant }) as { keys: { kid: string }[] };
  expect(found.map(({ kid }) => kid)).toEqual(kept);
});

it('an issuer without tenant: the very document', () => {
  expect(ownKeys(document, { issuer: v2, tenant: undefined })).toBe(document);
});

it.each([[undefined], ['text'], [{}], [{ keys: 'none' }]])(
  '%j instead of a key set: left to who reads keys',
  (other) => {
    expect(ownKeys(other, { issuer: v2, tenant })).toBe(other);
  },
);

it('what is no key among keys: left to who counts them', () => {
  expect(ownKeys({ keys: [7, keys.other] }, { issuer: v2, tenant })).toEqual({ keys: [7] });
});
