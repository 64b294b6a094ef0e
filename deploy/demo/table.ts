/**
 * Promises: results as a table for a terminal, with what was expected under each row that is not as it should be.
 */
import type { DemoRequest, Outcome } from './requests.ts';
import type { Result } from './send.ts';

const titles = ['', 'request', 'token', 'status', 'reason', 'identity that the upstream saw', 'ms'];

export function isAsExpected({ request, actual }: Result): boolean {
  const { expected } = request;
  return (
    actual.status === expected.status && actual.reason === expected.reason && actual.upstream === expected.upstream
  );
}

/** The lines of the table. */
export function table(results: readonly Result[]): string[] {
  const rows = results.map(cells);
  const widths = titles.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - cell.length)))
      .join('  ')
      .trimEnd();
  const rule = '-'.repeat(widths.reduce((sum, each) => sum + each + 2, -2));
  return [line(titles), rule, ...results.flatMap((result, index) => [line(rows[index] ?? []), ...complaint(result)])];
}

function cells(result: Result): string[] {
  const { request, actual, ms } = result;
  return [
    isAsExpected(result) ? '✓' : '✗',
    describe(request),
    request.token ?? 'none',
    ...outcome(actual),
    ms.toFixed(1),
  ];
}

function describe({ method, path, header }: DemoRequest): string {
  const added = header === undefined ? '' : ` ${header[0]}: ${header[1]}`;
  return `${method} ${path}${added}`;
}

function outcome({ status, reason, upstream }: Outcome): string[] {
  return [String(status), reason, upstream];
}

function complaint(result: Result): string[] {
  return isAsExpected(result) ? [] : [`   ^ expected: ${outcome(result.request.expected).join(', ')}`];
}
