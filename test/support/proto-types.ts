/** The reference codec: proto-loader over the upstream files in proto/, independent of ours. */
import { fileURLToPath } from 'node:url';
import { loadSync, type MethodDefinition } from '@grpc/proto-loader';

const definition = loadSync('envoy/service/auth/v3/external_auth.proto', {
  includeDirs: [fileURLToPath(new URL('../../proto/', import.meta.url))],
  keepCase: true,
  longs: Number,
  enums: Number,
  defaults: false,
  oneofs: false,
});

// The definition is a table of whatever the files declare; this one is a service with one method.
const service = definition['envoy.service.auth.v3.Authorization'] as unknown as Record<
  string,
  MethodDefinition<object, object>
>;

function method(): MethodDefinition<object, object> {
  const check = service['Check'];
  if (check === undefined) throw new Error('proto/ declares no Authorization.Check');
  return check;
}

/** A CheckRequest in proto3 JSON-like shape with snake_case names → bytes. */
export function encodeCheckRequest(message: object): Buffer {
  return method().requestSerialize(message);
}

export interface HeaderValueOption {
  header: { key: string; value?: string };
  append?: { value?: boolean };
  append_action?: number;
}

/** A decoded CheckResponse: absent members are absent, numbers for enums. */
export interface CheckResponse {
  status?: { code?: number };
  ok_response?: { headers?: HeaderValueOption[]; headers_to_remove?: string[] };
  denied_response?: { status?: { code?: number }; headers?: HeaderValueOption[]; body?: string };
  dynamic_metadata?: object;
}

export function decodeCheckResponse(bytes: Uint8Array): CheckResponse {
  return method().responseDeserialize(Buffer.from(bytes));
}
