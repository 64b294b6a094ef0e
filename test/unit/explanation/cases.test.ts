/** The cases of the project through explain: its answer is the one that `serve` gives. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Allow } from '../../../src/decision/decision.ts';
import { describeRefusal } from '../../../src/envoy/check-response.ts';
import { explain } from '../../../src/explanation/explain.ts';
import type { Explanation } from '../../../src/explanation/explanation.ts';
import { renderExplanation, renderJson } from '../../../src/explanation/render.ts';
import { plain } from '../../../src/report/paint.ts';
import type { CaseFile, Check } from '../../support/case-file.ts';
import { loadCaseFiles } from '../../support/case-file.ts';
import { differences } from '../../support/doors.ts';
import { createSubject, type Subject } from '../../support/doors-subject.ts';
import { type ClientRequest, headersAtEnvoy, requestAttributes } from '../../support/request-maker.ts';

// Without a policy there is nothing to explain.
const files = loadCaseFiles().filter(({ policy }) => policy.length > 0);

describe.each(files)('$name: $about', (file) => {
  let subject: Subject;
  beforeAll(() => {
    subject = createSubject(file);
  });
  afterAll(() => {
    subject.stop();
  });

  it.each(file.checks.filter(({ doors }) => doors.includes('function')))('$name', async (check) => {
    const request = await subject.request(check);
    const explanation = await explainWith(subject, request, file, true);
    const answer = {
      decision: explanation.reason === 'resource_metadata' ? 'answer' : explanation.decision,
      status: explanation.decision === 'allow' ? undefined : explanation.status,
      reason: explanation.reason,
      rule: explanation.rule,
      metadata: explanation.metadata,
      ...(explanation.answer === null
        ? { upstream: upstreamOf(request, explanation) }
        : { body: explanation.answer.body, headers: grouped(explanation.answer.headers) }),
    } as const;
    expect(differences(withoutOwnToken(check, explanation), request, answer)).toEqual([]);
    await expectSame(subject, request, explanation);
    expectConsistent(explanation);
    const hidden = await explainWith(subject, request, file, false);
    expectDiscreet(request, explanation, hidden);
  });
});

function explainWith(
  subject: Subject,
  request: ClientRequest,
  file: CaseFile,
  showClaims: boolean,
): Promise<Explanation> {
  const { snapshot, authorizer } = subject;
  if (snapshot === undefined) throw new Error('no policy');
  const question = {
    request: requestAttributes(request),
    snapshot,
    nowMs: file.nowSeconds * 1000,
    maxTokenBytes: 16_384,
    isSigned: true,
    showClaims,
  };
  return explain(question, authorizer, 5000);
}

/** A token of ours is not shown: by the way of a decision that is explained nobody comes by one. */
function withoutOwnToken(check: Check, { headers }: Explanation): Check {
  if (headers.set['authorization']?.client === undefined) return check;
  const { authorization: _own, ...upstream } = check.upstream;
  return { ...check, upstream };
}

/** What the authorizer says of the same request, field by field. */
async function expectSame(subject: Subject, request: ClientRequest, explanation: Explanation): Promise<void> {
  const attributes = requestAttributes(request);
  const decision = await subject.authorizer.authorize(attributes, 5000);
  expect([explanation.reason, explanation.rule]).toEqual([decision.reason, decision.told.rule ?? null]);
  if (Allow.isAllow(decision)) {
    const own = new Map(decision.setHeaders).get('authorization');
    const set = Object.entries(explanation.headers.set).map(([name, { client, value }]) => [
      name,
      client ? own : value,
    ]);
    if (own !== undefined) expect(renderJson(explanation)).not.toContain(own.replace('Bearer ', ''));
    expect([set, explanation.headers.removed]).toEqual([decision.setHeaders, decision.removeHeaders]);
  } else {
    const { status, headers, body } = describeRefusal(decision, attributes);
    expect([explanation.status, explanation.answer?.headers, explanation.answer?.body]).toEqual([
      status,
      headers,
      body,
    ]);
  }
}

/** One check fails or none, and none is reached after it. */
function expectConsistent({ reason, steps }: Explanation): void {
  const results = steps.map(({ result }) => result).join(' ');
  const shapes: Record<string, RegExp> = {
    // Of a token that is no JWT, what looks into one is passed over.
    allowed: /^(?:pass ?)+(?:(?:skipped ?)+(?:pass ?)+)*$/,
    allowed_public: /^pass pass pass(?:(?: not_reached)+|(?: skipped)+ pass)$/,
    resource_metadata: /^pass answered(?: not_reached)+$/,
  };
  expect(results).toMatch(shapes[reason] ?? /^(?:(?:pass|skipped) )*fail(?: not_reached)*$/);
}

/** Neither the token nor, unless they are asked for, a value of its claims is in what is shown. */
function expectDiscreet(request: ClientRequest, shown: Explanation, hidden: Explanation): void {
  expect(JSON.parse(renderJson(hidden))).toEqual(hidden);
  for (const text of [renderJson(shown), renderExplanation(shown, plain)]) {
    const parts = request.token.split('.').filter((part) => part.length > 15);
    expect(parts.filter((part) => text.includes(part))).toEqual([]);
  }
  for (const text of [renderJson(hidden), renderExplanation(hidden, plain)]) {
    expect(text.replaceAll(request.host, '')).not.toMatch(/\bada\b|token-1/);
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}]/u);
  }
}

function upstreamOf(request: ClientRequest, { headers }: Explanation): Map<string, string[]> {
  const seen = new Map([...headersAtEnvoy(request)].map(([name, values]) => [name, values.map(String)]));
  for (const [name, { value }] of Object.entries(headers.set)) seen.set(name, [value ?? '']);
  for (const name of headers.removed) seen.delete(name);
  return seen;
}

function grouped(headers: readonly (readonly [string, string])[]): Map<string, string[]> {
  const byName = new Map<string, string[]>();
  for (const [name, value] of headers) byName.set(name, [...(byName.get(name) ?? []), value]);
  return byName;
}
