/**
 * Promises: the files under proto/ are the ones that were vendored, and complete: what Check and Health need loads from that one root.
 * Leaves to others: where they come from (proto/vendor.ts, which needs a network).
 */
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadSync } from '@grpc/proto-loader';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../../proto');
const files = globSync('**/*.proto', { cwd: root }).toSorted();
const sums = readFileSync(join(root, 'SHA256SUMS'), 'utf8');

/** Names of the messages and services that a file defines, its imports included. */
function load(file: string): ReturnType<typeof loadSync> {
  return loadSync(file, { includeDirs: [root], keepCase: true });
}

describe('proto/', () => {
  it('holds the files of SHA256SUMS, unchanged, and no others', () => {
    const found = files.map(
      (file) =>
        `${createHash('sha256')
          .update(readFileSync(join(root, file)))
          .digest('hex')}  ${file}\n`,
    );
    expect(found.join('')).toBe(sums);
  });

  it.each(files)('%s: every import is a file of this root or one that the runtime brings', (file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const imports = [...text.matchAll(/^import (?:public |weak )?"(.+)";/gm)].map((match) => match[1] ?? '');
    expect(imports.filter((path) => !path.startsWith('google/protobuf/') && !existsSync(join(root, path)))).toEqual([]);
  });

  it('external_auth.proto loads with the service that Envoy calls', () => {
    expect(load('envoy/service/auth/v3/external_auth.proto')['envoy.service.auth.v3.Authorization']).toMatchObject({
      Check: { path: '/envoy.service.auth.v3.Authorization/Check', requestStream: false, responseStream: false },
    });
  });

  it('external_auth.proto is new enough to know error_response, A2-11', () => {
    expect(load('envoy/service/auth/v3/external_auth.proto')['envoy.service.auth.v3.CheckResponse']).toMatchObject({
      type: { field: expect.arrayContaining([expect.objectContaining({ name: 'error_response', number: 5 })]) },
    });
  });

  it('health.proto loads with Check and Watch', () => {
    expect(load('grpc/health/v1/health.proto')['grpc.health.v1.Health']).toMatchObject({
      Check: { path: '/grpc.health.v1.Health/Check', responseStream: false },
      Watch: { path: '/grpc.health.v1.Health/Watch', responseStream: true },
    });
  });
});
