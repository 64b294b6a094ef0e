/** Header and payload of a JWT, for a look at what was tried. */
export interface ReadToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
}

export function read(token: string): ReadToken {
  const [header = '{}', payload = '{}'] = token.split('.').map((part) => Buffer.from(part, 'base64url').toString());
  return { header: JSON.parse(header) as ReadToken['header'], payload: JSON.parse(payload) as ReadToken['payload'] };
}
