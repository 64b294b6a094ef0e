import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { defaultSettings, type EnvoyOverrides, envoyConfig, type JsonObject } from '../../../deploy/envoy/config.ts';

/** The value at a path of names and indices, or undefined. */
function at(value: unknown, path: string): unknown {
  let here = value;
  for (const name of path.split('/')) here = Object.entries(here ?? {}).find(([key]) => key === name)?.[1];
  return here;
}

const manager = 'static_resources/listeners/0/filter_chains/0/filters/0/typed_config';
const extAuthz = `${manager}/http_filters/0/typed_config`;
const clusters = 'static_resources/clusters';

function configWith(overrides: EnvoyOverrides): JsonObject {
  return envoyConfig({ ...defaultSettings, overrides });
}

describe('envoyConfig', () => {
  it('default settings: equal to the documented envoy.yaml', () => {
    const file = readFileSync(new URL('../../../deploy/envoy/envoy.yaml', import.meta.url), 'utf8');
    expect(parse(file)).toEqual(envoyConfig(defaultSettings));
  });

  const recommended: Record<string, [path: string, value: unknown]> = {
    'EA-02 an unreachable authorizer: closed': [`${extAuthz}/failure_mode_allow`, false],
    'EA-02 an unreachable authorizer: 503, not 403': [`${extAuthz}/status_on_error`, { code: 503 }],
    'EA-17 bad mutations: refused': [`${extAuthz}/validate_mutations`, true],
    'EA-40 repeated headers: kept apart': [`${extAuthz}/encode_raw_headers`, true],
    'EA-60 dot segments: normalised': [`${manager}/normalize_path`, true],
    'EA-60 double slashes: merged': [`${manager}/merge_slashes`, true],
    'EA-60 escaped slashes: refused': [`${manager}/path_with_escaped_slashes_action`, 'REJECT_REQUEST'],
    'EA-60 underscores in header names: refused': [
      `${manager}/common_http_protocol_options/headers_with_underscores_action`,
      'REJECT_REQUEST',
    ],
    'the authorizer is the first filter': [`${manager}/http_filters/0/name`, 'envoy.filters.http.ext_authz'],
    'no health check unless asked for': [`${clusters}/0/health_checks`, undefined],
  };
  it.each(Object.entries(recommended))('recommended, %s', (_name, [path, value]) => {
    expect(at(envoyConfig(defaultSettings), path)).toEqual(value);
  });

  const switches: Record<string, [overrides: EnvoyOverrides, path: string, value: unknown]> = {
    'map encoding of headers': [{ encodeRawHeaders: false }, `${extAuthz}/encode_raw_headers`, false],
    'paths as sent: dots': [{ normalizePath: false }, `${manager}/normalize_path`, false],
    'paths as sent: slashes': [{ normalizePath: false }, `${manager}/merge_slashes`, false],
    'paths as sent: escapes': [
      { normalizePath: false },
      `${manager}/path_with_escaped_slashes_action`,
      'KEEP_UNCHANGED',
    ],
    'underscores allowed': [
      { headersWithUnderscores: 'ALLOW' },
      `${manager}/common_http_protocol_options/headers_with_underscores_action`,
      'ALLOW',
    ],
    'fail open': [{ failureModeAllow: true }, `${extAuthz}/failure_mode_allow`, true],
    'one codec': [{ codec: 'HTTP2' }, `${manager}/codec_type`, 'HTTP2'],
    'another timeout': [{ timeout: '3s' }, `${extAuthz}/grpc_service/timeout`, '3s'],
    'mutations unchecked': [{ validateMutations: false }, `${extAuthz}/validate_mutations`, false],
    'health check': [
      { healthCheck: true },
      `${clusters}/0/health_checks/0/grpc_health_check/service_name`,
      'envoy.service.auth.v3.Authorization',
    ],
  };
  it.each(Object.entries(switches))('override, %s', (_name, [overrides, path, value]) => {
    expect(at(envoyConfig(defaultSettings), path)).not.toEqual(value);
    expect(at(configWith(overrides), path)).toEqual(value);
  });

  it('a unix socket: a pipe address; a host name: resolved by DNS', () => {
    const config = envoyConfig({
      listenPort: 0,
      authz: { unix: '/run/scopegate.sock' },
      upstream: { host: 'orders.internal', port: 80 },
    });
    const address = 'load_assignment/endpoints/0/lb_endpoints/0/endpoint/address';
    expect(at(config, `${clusters}/0/${address}`)).toEqual({ pipe: { path: '/run/scopegate.sock' } });
    expect(at(config, `${clusters}/0/type`)).toBe('STATIC');
    expect(at(config, `${clusters}/1/type`)).toBe('STRICT_DNS');
  });
});
