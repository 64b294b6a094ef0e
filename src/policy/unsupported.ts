/**
 * Promises: what the document's schema knows and this version does not do is refused by name, never ignored. A feature that arrives
 * takes its row out of this table.
 */
import type { PolicyDocument } from './document.ts';
import { type Report, type Spot, within } from './report.ts';
import type { TreePath } from './tree.ts';

export interface UnsupportedRow {
  /** `*` stands for every item of a list. */
  readonly path: readonly string[];
  /** Values that change nothing or are supported; absent: none is, and the field itself is refused. */
  readonly except?: readonly string[];
}

export const unsupportedRows: readonly UnsupportedRow[] = [{ path: ['rules', '*', 'inject'] }, { path: ['clients'] }];

export function refuseUnsupported(documents: readonly PolicyDocument[], report: Report): void {
  for (const document of documents) {
    for (const row of unsupportedRows)
      refuseRow(row, { node: document.content, spot: { document, path: [] }, rest: row.path }, report);
  }
}

interface Step {
  readonly node: unknown;
  readonly spot: Spot;
  readonly rest: TreePath;
}

function refuseRow(row: UnsupportedRow, { node, spot, rest }: Step, report: Report): void {
  const [step, ...others] = rest;
  if (step === undefined) {
    refuseValue(row, node, spot, report);
  } else if (step === '*') {
    const items = Array.isArray(node) ? node : [];
    for (const [index, item] of items.entries())
      refuseRow(row, { node: item, spot: within(spot, index), rest: others }, report);
  } else if (typeof node === 'object' && node !== null && Object.hasOwn(node, step)) {
    refuseRow(row, { node: Reflect.get(node, step), spot: within(spot, step), rest: others }, report);
  }
}

function refuseValue({ path, except }: UnsupportedRow, value: unknown, spot: Spot, report: Report): void {
  const isEmptyList = Array.isArray(value) && value.length === 0;
  if (value === undefined || isEmptyList) return;
  const field = path.at(-1) ?? '';
  if (except === undefined || typeof value !== 'string') {
    report.error(spot, 'unsupported', unsupported(field), { part: 'key' });
  } else if (!except.includes(value)) {
    report.error(spot, 'unsupported', unsupported(`${field}: ${value}`));
  }
}

function unsupported(what: string): string {
  return `\`${what}\` is not supported by this version`;
}
