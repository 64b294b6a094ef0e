import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { envoyConfig } from '../../deploy/envoy/config.ts';
import { envoyBinary } from '../../deploy/envoy/install.ts';
import { startEnvoy } from '../../deploy/envoy/process.ts';

/** No port is certain to be free; a path of ours is. */
const nobody = { unix: join(tmpdir(), `nobody-${randomUUID()}.sock`) };

it('the documented bootstrap: a real Envoy takes it', { timeout: 120_000 }, async () => {
  const binary = await envoyBinary(() => {});
  const file = fileURLToPath(new URL('../../deploy/envoy/envoy.yaml', import.meta.url));
  const { stderr, stdout } = await promisify(execFile)(binary, ['--mode', 'validate', '--config-path', file]);
  expect(stdout + stderr).toContain(`configuration '${file}' OK`);
});

it('EA-02 no authorizer there: 503, never the upstream', { timeout: 120_000 }, async () => {
  const envoy = await startEnvoy(
    await envoyBinary(() => {}),
    envoyConfig({ listenPort: 0, authz: nobody, upstream: nobody }),
  );
  try {
    const answer = await fetch(`http://127.0.0.1:${envoy.port}/`);
    expect([answer.status, await answer.text()]).toEqual([503, '']);
  } finally {
    await envoy.stop();
  }
  expect(await envoy.ended).toBe('exited with code 0');
});

it('a bootstrap that Envoy refuses: its complaint in one line', { timeout: 120_000 }, async () => {
  const binary = await envoyBinary(() => {});
  await expect(startEnvoy(binary, { no_such_field: 1 })).rejects.toThrow(/^Envoy exited with code 1: .*no_such_field/);
});
