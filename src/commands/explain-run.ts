/**
 * Promises: `scopegate explain` with its options read: the policy and the credentials as text become a question, the explanation goes to
 * stdout, anything else to stderr.
 */
import { serveOptions } from '../config/serve-options.ts';
import { explainRequest } from '../explanation/ask.ts';
import { mintClaims } from '../explanation/credentials.ts';
import { renderExplanation, renderJson } from '../explanation/render.ts';
import { type HeaderLine, requestAttributes } from '../explanation/request-line.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { paintFor } from '../report/paint.ts';
import { printable } from '../report/printable.ts';
import type { ExplainOptions, ExplainPorts } from './explain.ts';
import { readInputs } from './input.ts';
import { readPolicy } from './read-policy.ts';

const maxTokenBytes = Number(serveOptions.maxTokenBytes.defaultText);

export async function runExplain(options: ExplainOptions, ports: ExplainPorts): Promise<number> {
  const snapshot = await readPolicy('explain', options.policy, ports);
  if (snapshot === 2) return 2;
  const credential = await readCredential(options, snapshot, ports);
  if ('error' in credential) {
    ports.writeError(`scopegate explain: ${printable(credential.error)}\n`);
    return 2;
  }
  const { nowMs, showClaims, headers, credentials } = options;
  const request = requestAttributes(options.request, [...headers, ...authorization(credential.token, headers)]);
  const isSigned = credentials.kind !== 'claims';
  const question = { request, snapshot, nowMs, maxTokenBytes, isSigned, showClaims };
  const explanation = await explainRequest(question, (fault) => {
    ports.writeError(`scopegate explain: ${String(fault)}\n`);
  });
  const { asJson } = options;
  ports.writeOut(asJson ? renderJson(explanation) : renderExplanation(explanation, paintFor(ports.isColored)));
  return explanation.decision === 'allow' ? 0 : 3;
}

/** In the scheme that was copied with the token, else the one that its headers are for. */
function authorization(token: string | undefined, headers: readonly HeaderLine[]): readonly HeaderLine[] {
  if (token === undefined) return [];
  if (schemed.test(token)) return [['authorization', token]];
  const hasProof = headers.some(([name]) => name.toLowerCase() === 'dpop');
  return [['authorization', `${hasProof ? 'DPoP' : 'Bearer'} ${token}`]];
}

/** A header's value may have been copied with its scheme. */
const schemed = /^(?:bearer|dpop) +/i;

type Credential = { readonly token: string | undefined } | { readonly error: string };

async function readCredential(
  { credentials, nowMs }: ExplainOptions,
  snapshot: PolicySnapshot,
  ports: ExplainPorts,
): Promise<Credential> {
  if (credentials.kind === 'none') return { token: undefined };
  if (credentials.kind === 'claims') return mintClaims(credentials, snapshot, nowMs);
  return readToken(credentials.argument, ports);
}

async function readToken(argument: string, ports: ExplainPorts): Promise<Credential> {
  const isFile = argument.startsWith('@');
  if (!isFile && argument !== '-') {
    ports.writeError(
      'scopegate explain: --token: a token on the command line shows in process lists; use @FILE or -\n',
    );
    return { token: argument.trim() };
  }
  const read = await readInputs([isFile ? argument.slice(1) : '-'], ports);
  if ('errors' in read) return { error: `--token: ${read.errors.join('; ')}` };
  const token = read[0]?.text.trim() ?? '';
  return token.replace(schemed, '') === ''
    ? { error: `--token: ${read[0]?.name ?? argument} holds no token` }
    : { token };
}
