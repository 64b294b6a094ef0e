/**
 * Promises: what evaluating a condition costs, in nanoseconds, for three that operators write; and what compiling one costs.
 * `node test/bench/condition.ts`. Rounds of the three are interleaved, the first is for warming up; the median of the others is printed.
 */
import { compileCondition } from '../../src/condition/compile-condition.ts';
import type { Condition, ConditionInput } from '../../src/condition/condition.ts';

const rounds = 9;
const turns = 20_000;

const input: ConditionInput = {
  claims: {
    iss: 'https://idp.test',
    sub: 'ada',
    tenant: 'acme',
    level: 4,
    email: 'ada@example.com',
    realm_access: { roles: ['reader', 'writer', 'auditor'] },
    groups: Array.from({ length: 20 }, (_, index) => `/staff/team-${index}`),
  },
  request: {
    method: 'GET',
    host: 'orders.test',
    path: new Map([['id', 'acme']]),
    target: '/api/acme?page=1',
    header: (name) => (name === 'x-region' ? 'eu' : undefined),
    timeMs: 1_795_465_489_000,
  },
  token: { issuer: 'corp', clientId: 'web', subject: 'ada', scopes: ['orders:read', 'orders:write'] },
};

const sources = {
  'tenant in the path': 'claims.tenant == request.path.id',
  'role or level, and region': `("admin" in claims.realm_access.roles || claims.level >= 3) && request.headers["x-region"] == "eu"`,
  'one of 20 groups, e-mail by pattern': `claims.groups.exists(group, group == "/staff/team-15") && claims.email.matches("^[a-z.]+@example[.]com$")`,
};

function compile(source: string): Condition {
  const condition = compileCondition(source);
  if (!('evaluate' in condition)) throw new Error(JSON.stringify(condition));
  if (condition.evaluate(input) !== true) throw new Error(`not true: ${source}`);
  return condition;
}

/** Nanoseconds of one turn. */
function time(turn: () => unknown, count: number): number {
  const start = process.hrtime.bigint();
  for (let index = 0; index < count; index += 1) turn();
  return Number(process.hrtime.bigint() - start) / count;
}

const measured = Object.entries(sources).map(([name, source]) => {
  const condition = compile(source);
  return { name, source, condition, evaluating: [] as number[], compiling: [] as number[] };
});
for (let round = 0; round < rounds; round += 1) {
  for (const { source, condition, evaluating, compiling } of measured) {
    const evaluate = time(() => condition.evaluate(input), turns);
    const compileOnce = time(() => compileCondition(source), turns / 50);
    if (round === 0) continue;
    evaluating.push(evaluate);
    compiling.push(compileOnce);
  }
}

function median(values: readonly number[]): number {
  return Math.round(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0);
}

for (const { name, evaluating, compiling } of measured) {
  console.log(`${name}: ${median(evaluating)} ns to evaluate, ${Math.round(median(compiling) / 1000)} us to compile`);
}
