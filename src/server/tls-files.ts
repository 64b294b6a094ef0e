/**
 * Promises: a certificate, its key and the CA of clients that OpenSSL will take and that belong together, or the file that is wrong
 * and why.
 * Leaves to others: when to look at the files again (tls-watch.ts).
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { errorCode } from './error-code.ts';

/** Paths of PEM files. */
export interface TlsFiles {
  /** Our certificate first, then its intermediates. */
  readonly cert: string;
  /** Private key of the certificate, without a passphrase. */
  readonly key: string;
  /** Certificates that issue those of clients; when set, a client without such a certificate is refused. */
  readonly clientCa?: string | undefined;
}

/** A TLS file that cannot be used. */
export class TlsFileError extends Error {
  readonly file: string;
  /** One line, without the name of the file. */
  readonly reason: string;

  constructor(file: string, reason: string) {
    super(`TLS file ${file}: ${reason}`);
    this.name = 'TlsFileError';
    this.file = file;
    this.reason = reason;
  }
}

/** What the files held at one look. */
export interface TlsTexts {
  readonly cert: string;
  readonly key: string;
  readonly clientCa: string | undefined;
}

/** Names the oldest version we speak; what came before has known breaks (RFC 8996). */
const minVersion = 'TLSv1.2';

/** Reads the files; the first that cannot be read is the error. */
export async function readTlsFiles(files: TlsFiles): Promise<TlsTexts | TlsFileError> {
  const [cert, key, clientCa] = await Promise.all([
    readText(files.cert),
    readText(files.key),
    files.clientCa === undefined ? undefined : readText(files.clientCa),
  ]);
  for (const text of [cert, key, clientCa]) {
    if (text instanceof TlsFileError) {
      return text;
    }
  }
  return { cert: String(cert), key: String(key), clientCa: clientCa === undefined ? undefined : String(clientCa) };
}

/** What `tls.Server` needs, proved to work. */
export function parseTls(files: TlsFiles, texts: TlsTexts): SecureContextOptions | TlsFileError {
  const chain = parseCertificates(files.cert, texts.cert);
  if (chain instanceof TlsFileError) {
    return chain;
  }
  const key = parseKey(files.key, texts.key);
  if (key instanceof TlsFileError) {
    return key;
  }
  if (chain[0]?.checkPrivateKey(key) !== true) {
    return new TlsFileError(files.key, `does not belong to the certificate in ${files.cert}`);
  }
  const ca = files.clientCa === undefined ? undefined : parseCertificates(files.clientCa, texts.clientCa ?? '');
  if (ca instanceof TlsFileError) {
    return ca;
  }
  // INVARIANT: `ca` is absent or names at least one certificate; with an empty list OpenSSL would trust the public CAs instead.
  const context = { cert: texts.cert, key: texts.key, minVersion, ...(ca && { ca: ca.map(String) }) } as const;
  return checkContext(files.cert, context);
}

async function readText(file: string): Promise<string | TlsFileError> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    return new TlsFileError(file, `cannot be read (${errorCode(error)})`);
  }
}

function parseCertificates(file: string, text: string): readonly X509Certificate[] | TlsFileError {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  const begun = text.split('-----BEGIN CERTIFICATE-----').length - 1;
  if (begun === 0) {
    return new TlsFileError(file, 'holds no PEM certificate');
  }
  if (blocks.length < begun) {
    return new TlsFileError(file, 'holds a certificate that is cut off');
  }
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    return new TlsFileError(file, 'holds a certificate that cannot be decoded');
  }
}

function parseKey(file: string, text: string): KeyObject | TlsFileError {
  if (!/-----BEGIN ([A-Z]+ )?PRIVATE KEY-----/.test(text)) {
    return new TlsFileError(file, 'holds no PEM private key');
  }
  try {
    return createPrivateKey(text);
  } catch (error) {
    const isEncrypted = errorCode(error) === 'ERR_MISSING_PASSPHRASE' || text.includes('ENCRYPTED');
    return new TlsFileError(
      file,
      isEncrypted ? 'is encrypted; passphrases are not supported' : 'holds a private key that cannot be decoded',
    );
  }
}

/** The last word is OpenSSL's: it also refuses what is well-formed but too weak. */
function checkContext(file: string, options: SecureContextOptions): SecureContextOptions | TlsFileError {
  try {
    createSecureContext(options);
    return options;
  } catch (error) {
    return new TlsFileError(file, `is refused by OpenSSL (${errorCode(error)})`);
  }
}
