/**
 * Promises: the part of an AdmissionReview (admission.k8s.io/v1) that is looked at, checked: whoever reaches the port may send anything. What
 * is wrong is told in fixed words, without a byte of what was sent.
 * Leaves to others: what the request comes to (admit.ts).
 */

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

/** One request to the API server, before it is carried out. */
export interface AdmissionRequest {
  /** Of this review; the answer has to carry it. */
  readonly uid: string;
  readonly operation: Operation;
  /** The ConfigMap as it would be stored; undefined: it is about another kind, or about one that would be gone. */
  readonly configMap: ReviewedConfigMap | undefined;
  readonly isConfigMap: boolean;
}

export interface ReviewedConfigMap {
  readonly namespace: string;
  readonly name: string;
  readonly data: ReadonlyMap<string, string>;
  readonly hasBinaryData: boolean;
}

export type ParsedReview =
  | { readonly ok: true; readonly request: AdmissionRequest }
  /** One line. */
  | { readonly ok: false; readonly problem: string };

const utf8 = new TextDecoder('utf-8', { fatal: true });

export function parseAdmissionReview(body: Uint8Array): ParsedReview {
  const review = parseJson(body);
  if (!isObject(review)) return bad('the body is no JSON object in UTF-8');
  if (review['apiVersion'] !== 'admission.k8s.io/v1' || review['kind'] !== 'AdmissionReview') {
    return bad('the body is no AdmissionReview of admission.k8s.io/v1');
  }
  const { request } = review;
  if (!isObject(request)) return bad('`request` is missing');
  return parseRequest(request);
}

function parseRequest(request: JsonObject): ParsedReview {
  const { uid, operation } = request;
  if (!isText(uid, /^[0-9a-z-]{1,64}$/i)) return bad('`request.uid` is no UID');
  if (!isOperation(operation)) return bad('`request.operation` is none of CREATE, UPDATE, DELETE and CONNECT');
  const isConfigMap = isOfConfigMap(request);
  const isStored = operation === 'CREATE' || operation === 'UPDATE';
  const configMap = isConfigMap && isStored ? configMapOf(request) : undefined;
  return typeof configMap === 'string'
    ? bad(configMap)
    : { ok: true, request: { uid, operation, isConfigMap, configMap } };
}

function bad(problem: string): ParsedReview {
  return { ok: false, problem };
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(body));
  } catch {
    return undefined;
  }
}

function isOfConfigMap({ resource, subResource = '' }: JsonObject): boolean {
  return (
    isObject(resource) &&
    resource['group'] === '' &&
    resource['version'] === 'v1' &&
    resource['resource'] === 'configmaps' &&
    subResource === ''
  );
}

/** Names of Kubernetes: labels of RFC 1123, lower case, with dots between them. */
const dnsName = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const dataKey = /^[-._a-zA-Z0-9]{1,253}$/;

/** The most that Kubernetes stores in one ConfigMap, in bytes. */
const maxDataBytes = 1_048_576;

/** A string is what is wrong. */
function configMapOf(request: JsonObject): ReviewedConfigMap | string {
  const { object, namespace } = request;
  if (!isObject(object)) return '`request.object` is missing';
  const { metadata } = object;
  // Where the API server makes up the name, the request has none.
  const name = request['name'] || (isObject(metadata) ? metadata['name'] : undefined);
  if (!isName(namespace, 63)) return '`request.namespace` is no name of a namespace';
  if (!isName(name, 253)) return 'the name of the ConfigMap is missing or not well-formed';
  const { data = {}, binaryData = {} } = object;
  const texts = textsOf(data);
  if (typeof texts === 'string') return texts;
  const hasBinaryData = isObject(binaryData) && Object.keys(binaryData).length > 0;
  return { namespace, name, data: texts, hasBinaryData };
}

function textsOf(data: unknown): ReadonlyMap<string, string> | string {
  // An API server in Go writes a map that is not there as null.
  if (data === null) return new Map();
  if (!isObject(data)) return '`data` of the ConfigMap is no mapping';
  const texts = new Map<string, string>();
  let bytes = 0;
  for (const [key, text] of Object.entries(data)) {
    if (!dataKey.test(key)) return 'a key of `data` is not well-formed';
    if (typeof text !== 'string') return 'a value of `data` is no text';
    bytes += Buffer.byteLength(text);
    texts.set(key, text);
  }
  return bytes > maxDataBytes ? '`data` of the ConfigMap is larger than 1 MiB' : texts;
}

type JsonObject = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}

function isName(value: unknown, maxLength: number): value is string {
  return typeof value === 'string' && value.length <= maxLength && dnsName.test(value);
}

function isOperation(value: unknown): value is Operation {
  return value === 'CREATE' || value === 'UPDATE' || value === 'DELETE' || value === 'CONNECT';
}
