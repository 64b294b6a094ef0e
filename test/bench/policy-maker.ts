/**
 * Promises: policies of any number of rules, like those of a large API: a host for every hundred rules, exact paths and templates, methods,
 * scopes and headers; and requests that find each of their rules.
 */
export interface SampleRequest {
  readonly host: string;
  readonly path: string;
  readonly method: string;
}

export function ruleFields(index: number): Readonly<Record<string, unknown>> {
  const path = `/api/v${index % 3}/resource-${index}`;
  return {
    name: `rule-${index}`,
    hosts: [hostOf(index)],
    paths: [path, `${path}/{id}`],
    methods: ['GET', 'HEAD'],
    issuers: ['corp'],
    require: { scopes: [`resource-${index}:read`] },
    headers: { 'x-user-id': 'sub' },
  };
}

function hostOf(index: number): string {
  return `service-${Math.floor(index / 100)}.example.com`;
}

const issuers = [{ name: 'corp', issuer: 'https://idp.example.com', audiences: ['api'] }];

export function jsonPolicy(rules: number): string {
  const list = Array.from({ length: rules }, (_, index) => ruleFields(index));
  return JSON.stringify({ apiVersion: 'scopegate.dev/v1', kind: 'Policy', issuers, rules: list });
}

/** As people write it: one field a line, short lists in brackets. */
export function yamlPolicy(rules: number, more: (index: number) => readonly string[] = () => []): string {
  const lines = ['apiVersion: scopegate.dev/v1', 'kind: Policy', 'issuers:'];
  lines.push('  - name: corp', '    issuer: https://idp.example.com', '    audiences: [api]', 'rules:');
  for (let index = 0; index < rules; index += 1) {
    const path = `/api/v${index % 3}/resource-${index}`;
    lines.push(`  - name: rule-${index}`, `    hosts: [${hostOf(index)}]`, `    paths: [${path}, "${path}/{id}"]`);
    lines.push(
      '    methods: [GET, HEAD]',
      '    issuers: [corp]',
      '    require:',
      `      scopes: [resource-${index}:read]`,
    );
    lines.push(...more(index), '    headers:', '      x-user-id: sub');
  }
  return `${lines.join('\n')}\n`;
}

/** A request for every rule: every other one by its template. */
export function sampleRequests(rules: number): readonly SampleRequest[] {
  return Array.from({ length: rules }, (_, index) => ({
    host: hostOf(index),
    path: `/api/v${index % 3}/resource-${index}${index % 2 === 0 ? '' : `/${index}`}`,
    method: 'GET',
  }));
}

export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
