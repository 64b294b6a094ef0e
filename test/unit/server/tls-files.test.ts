import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseTls, readTlsFiles, TlsFileError, type TlsFiles, type TlsTexts } from '../../../src/server/tls-files.ts';

const fixtures = new URL('../../support/', import.meta.url);
const files: TlsFiles = { cert: 'cert.pem', key: 'key.pem', clientCa: 'ca.pem' };
let good: TlsTexts;
let encryptedKey: string;
let folder: string;

beforeAll(async () => {
  const read = (name: string): Promise<string> => readFile(new URL(name, fixtures), 'utf8');
  good = {
    cert: await read('tls-server/renewed.pem'),
    key: await read('tls-server/renewed-key.pem'),
    clientCa: await read('tls/client-ca.pem'),
  };
  encryptedKey = await read('tls-server/encrypted-key.pem');
  folder = await mkdtemp(join(tmpdir(), 'tls-files-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const cases: Record<
  string,
  { change: () => Partial<TlsTexts> | Promise<Partial<TlsTexts>>; file: string; reason: RegExp }
> = {
  'certificate file is empty: no certificate': {
    change: () => ({ cert: '' }),
    file: 'cert.pem',
    reason: /holds no PEM cert/,
  },
  'certificate in DER: no certificate': {
    change: () => ({ cert: '0\u0082\u0001' }),
    file: 'cert.pem',
    reason: /holds no PEM/,
  },
  'key in place of the certificate: no certificate': {
    change: () => ({ cert: good.key }),
    file: 'cert.pem',
    reason: /holds no PEM certificate/,
  },
  'certificate half written: cut off': {
    change: () => ({ cert: good.cert.slice(0, 300) }),
    file: 'cert.pem',
    reason: /cut off/,
  },
  'second certificate of the chain half written: cut off': {
    change: () => ({ cert: good.cert + good.cert.slice(0, 300) }),
    file: 'cert.pem',
    reason: /cut off/,
  },
  'certificate of junk: not decoded': {
    change: () => ({ cert: good.cert.replace(/MII/, 'AAA') }),
    file: 'cert.pem',
    reason: /cannot be decoded/,
  },
  'key file is empty: no key': { change: () => ({ key: '' }), file: 'key.pem', reason: /holds no PEM private key/ },
  'certificate in place of the key: no key': {
    change: () => ({ key: good.cert }),
    file: 'key.pem',
    reason: /holds no PEM private key/,
  },
  'key of junk: not decoded': {
    change: () => ({ key: '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n' }),
    file: 'key.pem',
    reason: /cannot be decoded/,
  },
  'key with a passphrase: said so': { change: () => ({ key: encryptedKey }), file: 'key.pem', reason: /is encrypted/ },
  'key of another certificate: the key is named, and the certificate': {
    change: async () => ({ key: await readFile(new URL('tls/server-key.pem', fixtures), 'utf8') }),
    file: 'key.pem',
    reason: /does not belong to the certificate in cert.pem/,
  },
  // With an empty list OpenSSL would take any certificate of a public CA.
  'CA file is empty: refused': { change: () => ({ clientCa: '' }), file: 'ca.pem', reason: /holds no PEM certificate/ },
  'CA file of junk: refused': {
    change: () => ({ clientCa: 'junk' }),
    file: 'ca.pem',
    reason: /holds no PEM certificate/,
  },
};

it.each(Object.entries(cases))('%s', async (_name, { change, file, reason }) => {
  const result = parseTls(files, { ...good, ...(await change()) });
  expect(result).toBeInstanceOf(TlsFileError);
  expect(result).toMatchObject({ file, reason: expect.stringMatching(reason) });
});

it('error: one line with file and reason, and nothing of what the file holds', () => {
  const result = parseTls(files, { ...good, key: good.cert });
  expect(result).toHaveProperty('message', 'TLS file key.pem: holds no PEM private key');
});

it('good files: TLS 1.2 at least, and no CA where none is configured', () => {
  expect(parseTls(files, good)).toMatchObject({ minVersion: 'TLSv1.2', ca: [expect.stringContaining('BEGIN CERT')] });
  const plain = parseTls({ cert: files.cert, key: files.key }, { ...good, clientCa: undefined });
  expect(plain).not.toBeInstanceOf(TlsFileError);
  expect(plain).not.toHaveProperty('ca');
});

it('CA file with two certificates: both are trusted', () => {
  expect(parseTls(files, { ...good, clientCa: `${good.clientCa}text between\n${good.cert}` })).toMatchObject({
    ca: { length: 2 },
  });
});

it('unreadable file: named with its cause', async () => {
  const cert = join(folder, 'cert.pem');
  await writeFile(cert, good.cert);
  const missing = join(folder, 'missing.pem');
  expect(await readTlsFiles({ cert, key: missing })).toMatchObject({
    file: missing,
    reason: 'cannot be read (ENOENT)',
  });
  expect(await readTlsFiles({ cert, key: folder })).toMatchObject({ file: folder, reason: 'cannot be read (EISDIR)' });
});
