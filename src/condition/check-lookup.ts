/**
 * Promises: the types of `in` and of indexing, and that names which are looked up are names that can be there.
 */
import type { Check } from './check.ts';
import { type Call, type Expression, isMember, literalText } from './expression.ts';
import { any, bool, fits, int, oneOf, type Type, text } from './type.ts';

export function checkIn(check: Check, expression: Expression, { args }: Call): Type {
  const [left, right] = args;
  if (left === undefined || right === undefined) return bool;
  const item = check.value(left);
  const group = check.type(right);
  const name = literalText(left);
  if (name !== undefined && group.kind === 'headers') check.header(name, check.findings.at(left));
  noteName(check, right, left, group);
  const wanted = wantedItem(group);
  const at = check.findings.at(expression);
  if (wanted === undefined) {
    const hint = group.kind === 'string' ? 'write `….contains(…)` for a part of a string' : undefined;
    check.findings.add(at, `\`in\` looks into a list or map, not into ${oneOf(group)}`, hint);
  } else if (!fits(item, wanted)) {
    check.findings.add(at, `${oneOf(item)} is never in ${group.kind === 'headers' ? 'headers' : oneOf(group)}`);
  }
  return bool;
}

function wantedItem(group: Type): Type | undefined {
  return group.kind === 'list' ? (group.item ?? any) : keyOf(group);
}

export function checkIndex(check: Check, expression: Expression, { args }: Call): Type {
  const [operand, index] = args;
  if (operand === undefined || index === undefined) return any;
  const owner = check.type(operand);
  const key = check.value(index);
  const at = check.findings.at(index);
  noteName(check, operand, index, owner);
  const name = literalText(index);
  if (name !== undefined && !['map', 'list'].includes(owner.kind)) return check.member(owner, name, at);
  const wanted = owner.kind === 'list' ? int : keyOf(owner);
  if (wanted === undefined) {
    check.findings.add(check.findings.at(expression), `${oneOf(owner)} has no items to index`);
  } else if (!fits(key, wanted)) {
    check.findings.add(at, `the index is ${oneOf(key)}, ${oneOf(wanted)} is wanted`);
  }
  return owner.kind === 'headers' ? text : (owner.item ?? any);
}

function keyOf({ kind, key = any }: Type): Type | undefined {
  if (kind === 'any') return any;
  if (kind === 'headers') return text;
  return kind === 'map' ? key : undefined;
}

function noteName(check: Check, owner: Expression, index: Expression, { kind }: Type): void {
  const name = literalText(index);
  if (name === undefined) return;
  const at = check.findings.at(index);
  if (kind === 'map') check.memberName(name, at);
  if (isMember(owner, 'request', 'path')) check.pathName(name, at);
}
