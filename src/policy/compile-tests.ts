/**
 * Promises: the entries of `tests` of all documents: requests that can be asked, and expectations that some answer could meet.
 * Leaves to others: whether it does (whoever runs them, through the authorizer).
 */
import { type DenyReason, denyReasons } from '../decision/deny-reason.ts';
import { compileTime } from './compile-revocations.ts';
import type { PolicyDocument } from './document.ts';
import { checkKnown, type KnownNames } from './known-names.ts';
import { isMethodToken } from './path.ts';
import { type Report, type Spot, within } from './report.ts';
import type { TestContent } from './schema.ts';
import type { PolicyTest, Rule } from './snapshot.ts';
import { quote } from './wording.ts';

export interface TestContext {
  readonly names: KnownNames;
  readonly rules: readonly Rule[];
}

export function compileTests(
  documents: readonly PolicyDocument[],
  { names, rules }: TestContext,
  report: Report,
): readonly PolicyTest[] {
  const shadows = new Set(rules.filter(({ mode }) => mode === 'shadow').map(({ name }) => name));
  return documents.flatMap((document) =>
    (document.content.tests ?? []).flatMap((content, index) => {
      const spot: Spot = { document, path: ['tests', index] };
      checkNames(content, { spot, names, shadows }, report);
      checkExpectation(content.expect, within(spot, 'expect'), report);
      const test = compileTest(content, spot, report);
      return test === undefined ? [] : [test];
    }),
  );
}

interface Naming {
  readonly spot: Spot;
  readonly names: KnownNames;
  /** Rules that never decide. */
  readonly shadows: ReadonlySet<string>;
}

function checkNames({ token, expect }: TestContent, { spot, names, shadows }: Naming, report: Report): void {
  const issuer = token === 'none' ? undefined : token.issuer;
  checkKnown(issuer, { kind: 'issuer', known: names.issuers }, within(spot, 'token', 'issuer'), report);
  const at = within(spot, 'expect', 'rule');
  checkKnown(expect.rule, { kind: 'rule', known: names.rules }, at, report);
  if (expect.rule !== undefined && shadows.has(expect.rule)) {
    report.error(at, 'test_expectation', `rule ${quote(expect.rule)} is a shadow rule, which never decides`);
  }
}

function compileTest(content: TestContent, spot: Spot, report: Report): PolicyTest | undefined {
  const { name, token, expect } = content;
  const { document, path } = spot;
  const request = parseRequest(content.request, within(spot, 'request'), report);
  const headers = compileRequestHeaders(content, within(spot, 'headers'), report);
  const now = compileTime(content.now, within(spot, 'now'), report);
  const expected = new Map(foldNames(expect.headers, within(spot, 'expect', 'headers'), report));
  return (
    request && {
      name,
      place: { file: document.file, ...document.place(path) },
      ...request,
      headers: Object.fromEntries(headers),
      nowMs: now === undefined ? undefined : now * 1000,
      token: token === 'none' ? undefined : { issuer: token.issuer, claims: token.claims ?? {} },
      expect: {
        decision: expect.decision,
        status: expect.status,
        reason: expect.reason,
        rule: expect.rule,
        headers: Object.fromEntries(expected),
      },
    }
  );
}

/** The target is kept as it is written: what it is refused for may be what the test is about. */
function parseRequest(
  text: string,
  spot: Spot,
  report: Report,
): Pick<PolicyTest, 'method' | 'host' | 'target'> | undefined {
  const [, method = '', host = '', target = ''] = /^(\S+) +https?:\/\/([^\s/?#]+)(\S*)$/i.exec(text) ?? [];
  if (host === '' || !isMethodToken(method)) {
    const hint = 'such as `GET https://orders.example.com/api/orders`';
    report.error(spot, 'test_request', 'expected a method and an http or https URL', { hint });
    return undefined;
  }
  const fragment = text.indexOf('#', method.length);
  if (fragment !== -1) {
    report.error(spot, 'test_request', 'no client sends the fragment of a URL', {
      hint: 'write `%23`',
      offset: fragment,
    });
  }
  return { method, host, target: target.startsWith('/') ? target : `/${target}` };
}

function compileRequestHeaders(
  { headers, token }: TestContent,
  spot: Spot,
  report: Report,
): ReadonlyMap<string, string> {
  const folded = foldNames(headers, spot, report);
  for (const { name, at } of placed(headers, spot)) {
    if (name === 'host') {
      report.error(at, 'test_request', '`host` is what the URL of the request names', { part: 'key' });
    } else if (name === 'authorization' && token !== 'none') {
      report.error(at, 'test_request', '`authorization` is what `token` stands for', { part: 'key' });
    }
  }
  return folded;
}

/** By lower-case name. */
function foldNames<Value>(
  headers: Readonly<Record<string, Value>> | undefined,
  spot: Spot,
  report: Report,
): ReadonlyMap<string, Value> {
  const folded = new Map<string, Value>();
  for (const { name, value, at } of placed(headers, spot)) {
    if (!isMethodToken(name)) {
      // RFC 9110 section 5.1: the name of a field is a token, as a method is.
      report.error(at, 'header_name', `${quote(name)} is not a header name`, { part: 'key' });
    } else if (folded.has(name)) {
      report.error(at, 'header_clash', 'the same header is already given in another case', { part: 'key' });
    }
    folded.set(name, value);
  }
  return folded;
}

function placed<Value>(
  headers: Readonly<Record<string, Value>> | undefined,
  spot: Spot,
): readonly { readonly name: string; readonly value: Value; readonly at: Spot }[] {
  return Object.entries(headers ?? {}).map(([key, value]) => ({
    name: key.toLowerCase(),
    value,
    at: within(spot, key),
  }));
}

type Expectation = TestContent['expect'];

function checkExpectation({ decision, reason, status }: Expectation, spot: Spot, report: Report): void {
  const outcome = reason === undefined ? outcomes[decision] : outcomeOf(reason);
  if (outcome.decision !== decision) {
    const message = `reason ${quote(String(reason))} is never that of decision ${quote(decision)}`;
    report.error(within(spot, 'reason'), 'test_expectation', message);
    return;
  }
  const { statuses } = outcome;
  if (status === undefined || statuses.includes(status)) return;
  const what = reason === undefined ? `decision ${quote(decision)}` : `reason ${quote(reason)}`;
  const message = `expected ${statuses.join(' or ')}, the status of ${what}`;
  report.error(within(spot, 'status'), 'test_expectation', message);
}

interface Outcome {
  readonly decision: Expectation['decision'];
  readonly statuses: readonly number[];
}

/** 200 is an answer of ours, which on the wire is a refusal, since the upstream is not called. */
const outcomes: Readonly<Record<Expectation['decision'], Outcome>> = {
  allow: { decision: 'allow', statuses: [200] },
  deny: { decision: 'deny', statuses: [200, 400, 401, 403, 503] },
};

function outcomeOf(reason: string): Outcome {
  if (reason === 'resource_metadata') return { decision: 'deny', statuses: [200] };
  if (!isDenyReason(reason)) return outcomes.allow;
  const { http } = denyReasons[reason];
  // Without credentials a challenge tells how to come by them.
  return { decision: 'deny', statuses: reason === 'no_rule' ? [401, http] : [http] };
}

function isDenyReason(reason: string): reason is DenyReason {
  return Object.hasOwn(denyReasons, reason);
}
