/**
 * Promises: whether a value is valid by a JSON Schema (draft 2020-12), for the keywords that the schema of policies uses. It throws at any
 * other, so that no part of a schema is passed over in silence.
 */
import type { JsonSchema } from '../../../src/policy/json-schema.ts';

/** The places of what is not valid, such as `/rules/0/name`; empty: valid. */
export function invalidPlaces(schema: JsonSchema, value: unknown, at = ''): readonly string[] {
  return Object.entries(schema).flatMap(([keyword, argument]) => {
    const check = keywords[keyword];
    if (check === undefined) throw new Error(`unknown keyword ${keyword}`);
    return check(argument, value, { at, schema });
  });
}

interface Context {
  readonly at: string;
  readonly schema: JsonSchema;
}

type Check = (argument: unknown, value: unknown, context: Context) => readonly string[];

const types: Readonly<Record<string, (value: unknown) => boolean>> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  integer: Number.isInteger,
  null: (value) => value === null,
};

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function when(isWrong: boolean, at: string): readonly string[] {
  return isWrong ? [at] : [];
}

const keywords: Readonly<Record<string, Check>> = {
  $schema: () => [],
  title: () => [],
  description: () => [],
  type: (type, value, { at }) =>
    when(
      [type].flat().every((name) => types[String(name)]?.(value) !== true),
      at,
    ),
  const: (wanted, value, { at }) => when(value !== wanted, at),
  enum: (wanted, value, { at }) => when(!(wanted as unknown[]).includes(value), at),
  not: (schema, value, { at }) => when(invalidPlaces(schema as JsonSchema, value).length === 0, at),
  anyOf: (schemas, value, { at }) =>
    when(
      (schemas as JsonSchema[]).every((schema) => invalidPlaces(schema, value).length > 0),
      at,
    ),
  pattern: (pattern, value, { at }) =>
    when(typeof value === 'string' && !new RegExp(String(pattern), 'u').test(value), at),
  minLength: (length, value, { at }) =>
    when(typeof value === 'string' && Array.from(value).length < Number(length), at),
  maxLength: (length, value, { at }) =>
    when(typeof value === 'string' && Array.from(value).length > Number(length), at),
  minimum: (limit, value, { at }) => when(typeof value === 'number' && value < Number(limit), at),
  maximum: (limit, value, { at }) => when(typeof value === 'number' && value > Number(limit), at),
  minItems: (count, value, { at }) => when(Array.isArray(value) && value.length < Number(count), at),
  maxItems: (count, value, { at }) => when(Array.isArray(value) && value.length > Number(count), at),
  items: (schema, value, { at }) =>
    Array.isArray(value)
      ? value.flatMap((item, index) => invalidPlaces(schema as JsonSchema, item, `${at}/${index}`))
      : [],
  required: (names, value, { at }) =>
    isObject(value)
      ? (names as string[]).filter((name) => !Object.hasOwn(value, name)).map((name) => `${at}/${name}`)
      : [],
  properties: (schemas, value, { at }) =>
    Object.entries(schemas as Record<string, JsonSchema>).flatMap(([name, schema]) =>
      isObject(value) && Object.hasOwn(value, name) ? invalidPlaces(schema, value[name], `${at}/${name}`) : [],
    ),
  propertyNames: (schema, value, { at }) =>
    isObject(value)
      ? Object.keys(value).flatMap((name) => invalidPlaces(schema as JsonSchema, name, `${at}/${name}`))
      : [],
  additionalProperties: (schema, value, { at, schema: { properties = {} } }) =>
    isObject(value)
      ? Object.keys(value)
          .filter((name) => !Object.hasOwn(properties as object, name))
          .flatMap((name) =>
            schema === false ? [`${at}/${name}`] : invalidPlaces(schema as JsonSchema, value[name], `${at}/${name}`),
          )
      : [],
};
