/** The third door: cases through a real Envoy in both header encodings. It is set to change nothing by itself, so that we are asked. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { envoyConfig } from '../../deploy/envoy/config.ts';
import { envoyBinary } from '../../deploy/envoy/install.ts';
import { type RunningEnvoy, startEnvoy } from '../../deploy/envoy/process.ts';
import { createCheck } from '../../src/check.ts';
import { createGrpcServer, type GrpcServer } from '../../src/server/grpc.ts';
import { loadCaseFiles } from '../support/case-file.ts';
import { differences } from '../support/doors.ts';
import { envoyAnswer, envoyDifferences, Upstream } from '../support/doors-envoy.ts';
import { createSubject, type Subject, SubjectSwitch } from '../support/doors-subject.ts';

const encodings = ['list', 'map'] as const;
const current = new SubjectSwitch();
const faults: unknown[] = [];
const upstream = new Upstream();
const envoys = new Map<string, RunningEnvoy>();
let server: GrpcServer;

beforeAll(async () => {
  const onFault = (fault: unknown): void => {
    faults.push(fault);
  };
  const check = createCheck({ authorizer: current, monotonicMs: () => 0, observe: () => {}, onFault });
  server = createGrpcServer({ addresses: ['127.0.0.1:0'], check, onFault });
  const [address = ''] = await server.start();
  const authz = { host: '127.0.0.1', port: Number(address.split(':')[1]) };
  const behind = { host: '127.0.0.1', port: await upstream.start() };
  const binary = await envoyBinary(() => {});
  for (const encoding of encodings) {
    const overrides = {
      normalizePath: false,
      headersWithUnderscores: 'ALLOW',
      encodeRawHeaders: encoding === 'list',
      timeout: '5s',
    } as const;
    envoys.set(encoding, await startEnvoy(binary, envoyConfig({ listenPort: 0, authz, upstream: behind, overrides })));
  }
}, 180_000);

afterAll(async () => {
  for (const envoy of envoys.values()) await envoy.stop();
  await server.stop();
  await upstream.stop();
  current.use(undefined);
});

describe.each(loadCaseFiles())('$name: $about', (file) => {
  let subject: Subject;
  beforeAll(() => {
    subject = createSubject(file);
    current.use(subject);
  });

  const checks = file.checks.filter(({ doors }) => doors.includes('envoy'));
  describe.each(encodings)('EA-41 headers as %s', (encoding) => {
    it.each(checks)('$name', async (check) => {
      const request = await subject.request(check);
      const answer = await envoyAnswer(envoys.get(encoding)?.port ?? 0, upstream, check, request);
      expect(check.envoy === undefined ? differences(check, request, answer) : envoyDifferences(check, answer)).toEqual(
        [],
      );
      expect(faults).toEqual([]);
    });
  });
});
