/** The second door: cases over a socket, in both header encodings, through a codec that is not ours. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCheck } from '../../src/check.ts';
import { createGrpcServer, type GrpcServer } from '../../src/server/grpc.ts';
import { loadCaseFiles } from '../support/case-file.ts';
import { differences } from '../support/doors.ts';
import { createSubject, type Subject, SubjectSwitch } from '../support/doors-subject.ts';
import { WireClient, wireAnswer, wireFaults } from '../support/doors-wire.ts';

const current = new SubjectSwitch();
const faults: unknown[] = [];
let server: GrpcServer;
let client: WireClient;

beforeAll(async () => {
  const onFault = (fault: unknown): void => {
    faults.push(fault);
  };
  const check = createCheck({ authorizer: current, monotonicMs: () => 0, observe: () => {}, onFault });
  server = createGrpcServer({ addresses: ['127.0.0.1:0'], check, onFault });
  const [address] = await server.start();
  client = new WireClient(address ?? '');
});

afterAll(async () => {
  client.close();
  current.use(undefined);
  await server.stop();
});

describe.each(loadCaseFiles())('$name: $about', (file) => {
  let subject: Subject;
  beforeAll(() => {
    subject = createSubject(file);
    current.use(subject);
  });

  const checks = file.checks.filter(({ doors }) => doors.includes('wire'));
  describe.each(['list', 'map'] as const)('EA-41 headers as %s', (encoding) => {
    it.each(checks)('$name', async (check) => {
      const request = await subject.request(check);
      const bytes = await client.ask(request, encoding);
      expect([...wireFaults(bytes), ...differences(check, request, wireAnswer(request, bytes))]).toEqual([]);
      expect(faults).toEqual([]);
    });
  });
});
