/**
 * Promises: `scopegate explain` as a person meets it: options, help, and one clear line about what is wrong with them.
 * Leaves to others: the explanation (explain-run.ts and explanation/), loaded when it is asked for.
 */
import { type Command, Option } from 'commander';
import { type HeaderLine, parseHeaderLine, parseRequestLine, type RequestLine } from '../explanation/request-line.ts';
import type { InputPorts } from './input.ts';

export interface ExplainPorts extends InputPorts {
  readonly writeOut: (text: string) => void;
  readonly writeError: (text: string) => void;
  /** Stdout is a terminal that shows colours. */
  readonly isColored: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Where the credentials come from; with `claims` there is no signature. */
export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'token'; readonly argument: string }
  | { readonly kind: 'claims'; readonly json: string; readonly issuer: string | undefined };

export interface ExplainOptions {
  readonly policy: readonly string[];
  readonly request: RequestLine;
  readonly headers: readonly HeaderLine[];
  readonly credentials: Credentials;
  readonly nowMs: number;
  readonly showClaims: boolean;
  readonly asJson: boolean;
}

const examples = `
Examples:
  scopegate explain --policy policy.yaml --token @token.txt \\
      --request 'GET https://orders.example.com/api/orders'
      a token as it came; its keys are taken from the policy or fetched
  pbpaste | scopegate explain --policy policy.yaml --token - \\
      --request 'POST https://orders.example.com/api/orders'
      the same, and the token is in no file, process list or history
  scopegate explain --policy policy.yaml --claims '{"sub":"ada","scope":"orders:read"}' \\
      --request 'GET https://orders.example.com/api/orders'
      no token at hand: the claims count, what a token has besides is filled in,
      and no signature is looked at

Shown are the path as it is matched, the rules that were considered, every check in
its order, the headers for the upstream, and the answer that Envoy would get. The
token and its signature are never shown.

Exit codes: 0 the request may pass, 3 it is refused, 2 bad usage, an unreadable file
or a policy with errors.
`;

/** Adds the command; `done` is told its exit code. */
export function addExplain(program: Command, ports: ExplainPorts, done: (exitCode: number) => void): void {
  const command = program
    .command('explain')
    .summary('show why a request is allowed or refused')
    .description('Decides one request as serve would, and shows step by step how it came to that.')
    .usage("--policy FILE --request 'METHOD URL' [options]")
    .allowExcessArguments(true)
    .addHelpText('after', examples);
  for (const option of options()) command.addOption(option);
  command.action(async () => {
    const [extra] = command.args;
    if (extra !== undefined) command.error(`error: unexpected argument '${extra}'`);
    const read = readOptions(command.opts(), ports.now);
    if (typeof read === 'string') return command.error(`error: ${read}`);
    const { runExplain } = await import('./explain-run.ts');
    return done(await runExplain(read, ports));
  });
}

function options(): readonly Option[] {
  return [
    new Option('--policy <FILE>', 'a policy file, - is stdin; repeatable, all together are one policy')
      .argParser(collect)
      .helpGroup('What decides:'),
    new Option('--now <INSTANT>', 'decide as of then, such as 2026-11-24T12:00:00Z\n[default: now]').helpGroup(
      'What decides:',
    ),
    new Option('--request <LINE>', "'METHOD URL', such as 'GET https://orders.example.com/api/orders'").helpGroup(
      'The request:',
    ),
    new Option('--header <LINE>', "a request header, 'name: value'; repeatable")
      .argParser(collect)
      .helpGroup('The request:'),
    new Option(
      '--token <TOKEN>',
      'an access token: @FILE reads it from a file, - from stdin;\na token itself would show in process lists and the history',
    ).helpGroup('The caller:'),
    new Option(
      '--claims <JSON>',
      'instead of a token, the claims of one; null takes out what would be filled in',
    ).helpGroup('The caller:'),
    new Option('--issuer <NAME>', 'whose token the claims are\n[default: the only issuer of the policy]').helpGroup(
      'The caller:',
    ),
    new Option('--show-claims', 'show values of claims, not only their names').helpGroup('Output:'),
    new Option('--json', 'print one JSON document').helpGroup('Output:'),
  ];
}

function collect(value: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), value];
}

type Given = Readonly<Record<string, unknown>>;

/** A text is what is wrong with them. */
function readOptions(given: Given, now: () => number): ExplainOptions | string {
  const policy = textsOf(given['policy']);
  if (policy.length === 0) return '--policy FILE is required';
  const line = textOf(given['request']);
  if (line === undefined) return "--request 'METHOD URL' is required";
  const request = parseRequestLine(line);
  if (typeof request === 'string') return `--request: ${request}`;
  const headers = readHeaders(textsOf(given['header']));
  if (typeof headers === 'string') return `--header: ${headers}`;
  const credentials = readCredentials(given);
  if (typeof credentials === 'string') return credentials;
  if (policy.includes('-') && credentials.kind === 'token' && credentials.argument === '-') {
    return '--policy - and --token - cannot both be stdin';
  }
  const nowMs = readNow(textOf(given['now']), now);
  if (typeof nowMs === 'string') return `--now: ${nowMs}`;
  const [showClaims, asJson] = [given['showClaims'] === true, given['json'] === true];
  return { policy, request, headers, credentials, nowMs, showClaims, asJson };
}

function readHeaders(lines: readonly string[]): readonly HeaderLine[] | string {
  const headers: HeaderLine[] = [];
  for (const line of lines) {
    const header = parseHeaderLine(line);
    if (typeof header === 'string') return header;
    headers.push(header);
  }
  return headers;
}

function readCredentials(given: Given): Credentials | string {
  const [argument, json, issuer] = [textOf(given['token']), textOf(given['claims']), textOf(given['issuer'])];
  if (argument !== undefined && json !== undefined) return '--token and --claims exclude each other';
  if (json !== undefined) return { kind: 'claims', json, issuer };
  if (issuer !== undefined) return '--issuer goes with --claims; of a token, `iss` names the issuer';
  return argument === undefined ? { kind: 'none' } : { kind: 'token', argument };
}

const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})$/i;

/** Milliseconds since the epoch (RFC 3339). */
function readNow(text: string | undefined, now: () => number): number | string {
  if (text === undefined) return now();
  const ms = instant.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isFinite(ms) ? ms : 'expected an instant such as 2026-11-24T12:00:00Z';
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === 'string') : [];
}
