import { describe, expect, it } from 'vitest';
import type { Authorizer } from '../../src/authorizer/authorize.ts';
import { type CheckPorts, createCheck } from '../../src/check.ts';
import type { Decision, Deny, Told } from '../../src/decision/decision.ts';
import { denyRow } from '../../src/decision/deny-reason.ts';
import type { Stop } from '../../src/decision/step.ts';
import { decodeCheckResponse, encodeCheckRequest } from '../support/proto-types.ts';

const told: Told = {
  policy: 'p',
  rule: undefined,
  path: undefined,
  host: undefined,
  caller: undefined,
  tokenCache: undefined,
  shadow: [],
};

function refuse(stop: Stop): Deny {
  const { reason } = stop;
  return {
    reason,
    status: denyRow(reason).http,
    told,
    challenges: [],
    nonce: undefined,
    detail: undefined,
    missingScopes: [],
  };
}

function setUp(authorize: Authorizer['authorize'], over: Partial<CheckPorts> = {}) {
  const faults: unknown[] = [];
  const seen: Decision[] = [];
  const check = createCheck({
    authorizer: { authorize, refuse },
    monotonicMs: () => 0,
    observe: (_request, decision) => void seen.push(decision),
    onFault: (fault) => void faults.push(fault),
    ...over,
  });
  const ask = async (bytes: Uint8Array) => decodeCheckResponse(await check(bytes, 100));
  return { ask, faults, seen };
}

const request = encodeCheckRequest({ attributes: { request: { http: { method: 'GET', path: '/', host: 'h' } } } });
const fault = new Error('a bug');

describe('createCheck', () => {
  it('EA-02 the authorizer rejects: 503, the fault reported once, and told as internal_error', async () => {
    const { ask, faults, seen } = setUp(() => Promise.reject(fault));
    expect(await ask(request)).toMatchObject({ status: { code: 7 }, denied_response: { status: { code: 503 } } });
    expect(faults).toEqual([fault]);
    expect(seen).toMatchObject([{ reason: 'internal_error' }]);
  });

  it('EA-02 the authorizer throws: 503', async () => {
    const { ask, faults } = setUp(() => {
      throw fault;
    });
    expect(await ask(request)).toMatchObject({ denied_response: { status: { code: 503 } } });
    expect(faults).toEqual([fault]);
  });

  it('EA-01 the authorizer answers with nonsense: 503, never an allow', async () => {
    const { ask, faults } = setUp(() => Promise.resolve({ reason: 'allowed', told } as unknown as Decision));
    const response = await ask(request);
    expect(response).toMatchObject({ status: { code: 7 }, denied_response: { status: { code: 503 } } });
    expect(response.ok_response).toBeUndefined();
    expect(faults).toHaveLength(1);
  });

  it('an observer throws: the answer stands, the fault is reported', async () => {
    const observe = (): never => {
      throw fault;
    };
    const { ask, faults } = setUp(() => Promise.resolve(refuse({ reason: 'no_rule' } as Stop)), { observe });
    expect(await ask(request)).toMatchObject({ denied_response: { status: { code: 403 } } });
    expect(faults).toEqual([fault]);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['garbage', Buffer.from('garbage')],
  ])('bytes that are %s: 400 request_malformed, nobody is asked', async (_name, bytes) => {
    const { ask, seen } = setUp(() => Promise.reject(fault));
    expect(await ask(bytes)).toMatchObject({ status: { code: 7 }, denied_response: { status: { code: 400 } } });
    expect(seen).toMatchObject([{ reason: 'request_malformed' }]);
  });
});
