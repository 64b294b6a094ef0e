/**
 * Promises: a google.protobuf.Struct of strings and lists, for dynamic metadata (EA-19: no depth, few keys, bounded bytes, no numbers).
 */
import type { WireWriter } from './wire-writer.ts';

export type MetadataValue = string | readonly string[] | readonly Readonly<Record<string, string>>[];

/** Struct: 1 fields, a map of 1 key and 2 value. */
export function writeStruct(writer: WireWriter, fields: Iterable<readonly [string, MetadataValue]>): void {
  for (const [key, value] of fields) {
    const field = writer.begin(1);
    writer.text(1, key);
    writeMember(writer, 2, value);
    writer.end(field);
  }
}

type Value = MetadataValue | Readonly<Record<string, string>>;

function writeMember(writer: WireWriter, field: number, value: Value): void {
  const member = writer.begin(field);
  writeValue(writer, value);
  writer.end(member);
}

/** Value: 3 string_value, 5 struct_value, 6 list_value. */
function writeValue(writer: WireWriter, value: Value): void {
  if (typeof value === 'string') {
    writer.text(3, value);
  } else if (isList(value)) {
    const list = writer.begin(6);
    for (const item of value) writeMember(writer, 1, item);
    writer.end(list);
  } else {
    const struct = writer.begin(5);
    writeStruct(writer, Object.entries(value));
    writer.end(struct);
  }
}

function isList(value: object): value is readonly (string | Readonly<Record<string, string>>)[] {
  return Array.isArray(value);
}
