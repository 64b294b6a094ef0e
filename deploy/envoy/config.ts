/**
 * Promises: a bootstrap for Envoy in which every request of one listener is put to Scopegate first, with the settings that we
 * recommend. `envoy.yaml` beside it is the same thing with the default values and comments; a test compares them.
 * Leaves to others: running it (process.ts).
 */
import { isIP } from 'node:net';

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

/** Where something listens. */
export type Endpoint = { readonly host: string; readonly port: number } | { readonly unix: string };

export interface EnvoySettings {
  /** Port on 127.0.0.1 for the traffic; 0 is any free one. */
  readonly listenPort: number;
  /** Port on 127.0.0.1 for Envoy's admin interface; 0 (default) is any free one. */
  readonly adminPort?: number;
  /** Scopegate. */
  readonly authz: Endpoint;
  /** What is protected. */
  readonly upstream: Endpoint;
  readonly overrides?: EnvoyOverrides;
}

/** Departures from what we recommend. For tests, and to try what a setting does; absent means as recommended. */
export interface EnvoyOverrides {
  /** Default AUTO. */
  readonly codec?: 'AUTO' | 'HTTP1' | 'HTTP2';
  /** Default true; false sends headers in Envoy's older map encoding. */
  readonly encodeRawHeaders?: boolean;
  /** Default true; false passes paths on as the client spelled them. */
  readonly normalizePath?: boolean;
  /** Default REJECT_REQUEST. */
  readonly headersWithUnderscores?: 'ALLOW' | 'REJECT_REQUEST' | 'DROP_HEADER';
  /** Default false; true lets requests pass while Scopegate cannot be reached. */
  readonly failureModeAllow?: boolean;
  /** Default true. */
  readonly validateMutations?: boolean;
  /** How long Envoy waits for a decision, such as `0.5s` (default). */
  readonly timeout?: string;
  /** Default false; true asks `grpc.health.v1` and takes an authorizer that is draining out of a group of several. */
  readonly healthCheck?: boolean;
}

/** What `envoy.yaml` is made of. */
export const defaultSettings: EnvoySettings = {
  listenPort: 10000,
  adminPort: 9901,
  authz: { host: '127.0.0.1', port: 9001 },
  upstream: { host: '127.0.0.1', port: 8080 },
};

/** The bootstrap as a JSON document, which Envoy reads as it reads YAML. */
export function envoyConfig(settings: EnvoySettings): JsonObject {
  const overrides = settings.overrides ?? {};
  return {
    admin: { address: address({ host: '127.0.0.1', port: settings.adminPort ?? 0 }) },
    static_resources: {
      listeners: [
        {
          name: 'ingress',
          address: address({ host: '127.0.0.1', port: settings.listenPort }),
          filter_chains: [{ filters: [connectionManager(overrides)] }],
        },
      ],
      clusters: [
        authzCluster(settings.authz, overrides),
        { connect_timeout: '1s', ...cluster('upstream', settings.upstream) },
      ],
    },
  };
}

function connectionManager(overrides: EnvoyOverrides): JsonObject {
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: {
      '@type': typeUrl('filters.network.http_connection_manager.v3.HttpConnectionManager'),
      stat_prefix: 'ingress',
      codec_type: overrides.codec ?? 'AUTO',
      ...pathSettings(overrides.normalizePath ?? true),
      common_http_protocol_options: {
        headers_with_underscores_action: overrides.headersWithUnderscores ?? 'REJECT_REQUEST',
      },
      route_config: {
        name: 'routes',
        virtual_hosts: [
          { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'upstream' } }] },
        ],
      },
      http_filters: [
        extAuthz(overrides),
        {
          name: 'envoy.filters.http.router',
          typed_config: { '@type': typeUrl('filters.http.router.v3.Router') },
        },
      ],
    },
  };
}

function pathSettings(isNormalized: boolean): JsonObject {
  return {
    normalize_path: isNormalized,
    merge_slashes: isNormalized,
    path_with_escaped_slashes_action: isNormalized ? 'REJECT_REQUEST' : 'KEEP_UNCHANGED',
  };
}

function extAuthz(overrides: EnvoyOverrides): JsonObject {
  return {
    name: 'envoy.filters.http.ext_authz',
    typed_config: {
      '@type': typeUrl('filters.http.ext_authz.v3.ExtAuthz'),
      transport_api_version: 'V3',
      grpc_service: { envoy_grpc: { cluster_name: 'scopegate' }, timeout: overrides.timeout ?? '0.5s' },
      failure_mode_allow: overrides.failureModeAllow ?? false,
      status_on_error: { code: 503 },
      validate_mutations: overrides.validateMutations ?? true,
      encode_raw_headers: overrides.encodeRawHeaders ?? true,
      include_peer_certificate: true,
      stat_prefix: 'scopegate',
    },
  };
}

function authzCluster(endpoint: Endpoint, overrides: EnvoyOverrides): JsonObject {
  const httpOptions = 'upstreams.http.v3.HttpProtocolOptions';
  return {
    // Below the filter's timeout, so that a second connection can be tried within it.
    connect_timeout: '0.25s',
    ...cluster('scopegate', endpoint),
    typed_extension_protocol_options: {
      [`envoy.extensions.${httpOptions}`]: {
        '@type': typeUrl(httpOptions),
        explicit_http_config: {
          http2_protocol_options: { connection_keepalive: { interval: '30s', timeout: '5s' } },
        },
      },
    },
    ...(overrides.healthCheck === true ? { health_checks: [healthCheck] } : {}),
  };
}

const healthCheck: JsonObject = {
  timeout: '1s',
  interval: '2s',
  unhealthy_threshold: 1,
  healthy_threshold: 1,
  no_traffic_interval: '2s',
  grpc_health_check: { service_name: 'envoy.service.auth.v3.Authorization' },
};

function cluster(name: string, endpoint: Endpoint): JsonObject {
  const isName = 'host' in endpoint && isIP(endpoint.host) === 0;
  return {
    name,
    type: isName ? 'STRICT_DNS' : 'STATIC',
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: address(endpoint) } }] }],
    },
  };
}

function address(endpoint: Endpoint): JsonObject {
  return 'unix' in endpoint
    ? { pipe: { path: endpoint.unix } }
    : { socket_address: { address: endpoint.host, port_value: endpoint.port } };
}

function typeUrl(name: string): string {
  return `type.googleapis.com/envoy.extensions.${name}`;
}
