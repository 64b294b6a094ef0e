/**
 * Promises: the one way in which Scopegate shows an issuer who it is, of the fields that `clients` and `introspection` share. Of files only
 * the names are looked at.
 */
import type { ClientAuthentication } from '../token/client-authentication.ts';
import { type Report, type Spot, within } from './report.ts';
import type { ClientContent } from './schema.ts';

const fields = ['clientSecretFile', 'privateKeyFile', 'tlsCertFile', 'tlsKeyFile'] as const;

type Field = (typeof fields)[number];
export type CredentialContent = Pick<ClientContent, Field>;

export function compileAuthentication(
  content: CredentialContent,
  spot: Spot,
  report: Report,
): ClientAuthentication | undefined {
  const given = fields.filter((field) => content[field] !== undefined);
  const authentication = readAuthentication(content, given);
  if (authentication !== undefined) return authentication;
  const [first, second] = given;
  const part = 'key';
  if (first === undefined) {
    if (spot.document.isDamaged(spot.path)) return undefined;
    const wanted = 'expected one of `clientSecretFile`, `privateKeyFile`, or `tlsCertFile` with `tlsKeyFile`';
    report.error(spot, 'client_authentication', wanted);
  } else if (second === undefined) {
    const message = `\`${first}\` needs \`${first === 'tlsCertFile' ? 'tlsKeyFile' : 'tlsCertFile'}\``;
    report.error(within(spot, first), 'client_authentication', message, { part });
  } else {
    report.error(within(spot, second), 'client_authentication', 'a client authenticates in one way', { part });
  }
  return undefined;
}

function readAuthentication(
  { clientSecretFile, privateKeyFile, tlsCertFile, tlsKeyFile }: CredentialContent,
  given: readonly Field[],
): ClientAuthentication | undefined {
  if (given.length === 2 && tlsCertFile !== undefined && tlsKeyFile !== undefined) {
    return { kind: 'certificate', certFile: tlsCertFile, keyFile: tlsKeyFile };
  }
  if (given.length !== 1) return undefined;
  if (clientSecretFile !== undefined) return { kind: 'secret', file: clientSecretFile };
  return privateKeyFile === undefined ? undefined : { kind: 'private_key', file: privateKeyFile };
}
