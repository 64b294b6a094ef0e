import { expect, it } from 'vitest';
import { renderExplanation, renderJson } from '../../../src/explanation/render.ts';
import { duration, moment, quoted } from '../../../src/explanation/wording.ts';
import { type Paint, plain } from '../../../src/report/paint.ts';
import { printable } from '../../../src/report/printable.ts';
import { corp, snapshotOf } from '../policy/policy-text.ts';
import { explainClaims } from './explain-claims.ts';

const snapshot = snapshotOf({
  issuers: [corp],
  rules: [
    { name: 'read', paths: ['/a', '/b'], methods: ['GET'], require: { scopes: ['r'] }, headers: { 'x-user': 'sub' } },
    { name: 'trial', paths: ['/a'], mode: 'shadow', require: { scopes: ['s'] } },
  ],
});

it('an allow: sections in their order', async () => {
  const text = renderExplanation(await explainClaims(snapshot, { claims: { sub: 'ada', scope: 'r' } }), plain);
  expect(text).toMatch(/^ALLOW allowed by rule read\nThe token has all that the rule requires\.\n\nRequest\n/);
  const titles = text.split('\n').filter((line) => /^[A-Z][a-z]/.test(line));
  expect(titles.slice(1)).toEqual([
    'Request',
    'Rules',
    'Shadow rules',
    'Checks',
    'Token',
    'Headers for the upstream',
    'Answer to the client',
    'Dynamic metadata for Envoy',
  ]);
  expect(text).toContain('  trial  would deny: insufficient_scope\n');
  expect(text).toContain('  set x-user  from claim sub\n');
  expect(text).toContain("the upstream's own");
});

it('a refusal: status and reason first, the checks in columns, the answer as the client gets it', async () => {
  const text = renderExplanation(await explainClaims(snapshot, { claims: { sub: 'ada' } }), plain);
  expect(text).toMatch(/^DENY 403 insufficient_scope by rule read\n/);
  expect(text).toContain('  FAIL  scopes             wanted: all of r; found: 0 scopes, missing r\n');
  expect(text).toContain('  not reached: condition, headers\n');
  expect(text).toContain('  HTTP 403 (Envoy is answered with code 7)\n');
  expect(text).toContain('  www-authenticate: Bearer realm="scopegate", error="insufficient_scope", scope="r"\n');
  expect(text).not.toContain('Headers for the upstream');
});

it('a condition that is false: its parts below it, and the values of the path template', async () => {
  const when = 'claims.tenant == request.path.id && claims.secret != "hunter2"';
  const rules = [{ name: 'a', paths: ['/a/{id}'], require: { when } }];
  const claims = { sub: 'ada', tenant: 'y', secret: 's' };
  const asked = { request: 'GET https://shop.test/a/x', claims };
  const [hidden, shown] = await Promise.all(
    [false, true].map((showClaims) => explainClaims(snapshotOf({ issuers: [corp], rules }), { ...asked, showClaims })),
  );
  if (hidden === undefined || shown === undefined) throw new Error('no explanations');
  const text = renderExplanation(hidden, plain);
  expect(text).toContain('  path    /a/x\n  {id}    "x"\n');
  expect(text).toContain(
    `wanted: ${when}; found: false\n` +
      '          claims.tenant == request.path.id  is false\n' +
      '          claims.secret != "hunter2"        is true\n' +
      '          claim tenant                      is present\n' +
      '          claim secret                      is present\n',
  );
  expect(renderExplanation(shown, plain)).toMatch(/ {10}claim tenant {22}is "y"\n {10}claim secret {22}is "s"\n/);
});

it('colours: the verdict and the check that failed are red, and the text is the same', async () => {
  const explanation = await explainClaims(snapshot, { claims: { sub: 'ada' } });
  const marked: Paint = (style, text) => (style === 'red' ? `<${text}>` : text);
  const text = renderExplanation(explanation, marked);
  expect(text.match(/<[^>]*>/g)).toEqual(['<DENY>', expect.stringMatching(/^<FAIL {2}scopes/)]);
  expect(text.replaceAll(/[<>]/g, '')).toBe(renderExplanation(explanation, plain));
});

it('text of a token that would steer a terminal: escaped, in text and in JSON', async () => {
  const evil = { sub: 'ada', 'x\u001b[2J\u009b\u202e\u{e0001}': 'y\u009b', scope: 'r' };
  const explanation = await explainClaims(snapshot, { claims: evil, showClaims: true });
  for (const text of [renderExplanation(explanation, plain), renderJson(explanation)]) {
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  }
  expect(JSON.parse(renderJson(explanation))).toEqual(explanation);
});

it('words', () => {
  expect([0, 59.6, 3600, 90_061, -125, 57 * 31_536_000 + 86_400].map(duration)).toEqual([
    '0s',
    '1m',
    '1h',
    '1d1h',
    '2m5s',
    '57y1d',
  ]);
  expect([moment('exp', undefined, 5), moment('exp', 65, 5), moment('exp', 5, 65), moment('exp', 5.4, 5)]).toEqual([
    'exp absent',
    'exp in 1m',
    'exp 1m ago',
    'exp now',
  ]);
  expect(printable('a\u{e0001}b\ud800')).toBe('a\\udb40\\udc01b\\ud800');
  expect([quoted('a"b'), quoted('x'.repeat(300)).length]).toEqual(['"a\\"b"', 203]);
});
