/**
 * Promises: a google.protobuf.Struct of strings and lists, for dynamic metadata (EA-19: no depth, few keys, bounded bytes, no numbers).
 */
import type { WireWriter } from './wire-writer.ts';

export type MetadataValue = string | readonly string[] | readonly Readonly<Record<string, string>>[];

/** Struct: 1 fields, a map of 1 key and 2 value. */
export function writeStruct(writer: WireWriter, fields: Iterable<readonly [string, MetadataValue]>): void {
  for (const [key, value] of fields) {
    writer.message(1, () => {
      writer.text(1, key);
      writer.message(2, () => writeValue(writer, value));
    });
  }
}

/** Value: 3 string_value, 5 struct_value, 6 list_value. */
function writeValue(writer: WireWriter, value: MetadataValue | Readonly<Record<string, string>>): void {
  if (typeof value === 'string') {
    writer.text(3, value);
  } else if (isList(value)) {
    writer.message(6, () => {
      for (const item of value) writer.message(1, () => writeValue(writer, item));
    });
  } else {
    writer.message(5, () => writeStruct(writer, Object.entries(value)));
  }
}

function isList(value: object): value is readonly (string | Readonly<Record<string, string>>)[] {
  return Array.isArray(value);
}
