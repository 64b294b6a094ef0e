import { expect, it } from 'vitest';
import { type Address, formatAddress, parseAddress } from '../../../src/server/address.ts';

const good: Record<string, { text: string; address: Address; written?: string }> = {
  'IPv4 and port': { text: '127.0.0.1:9001', address: { kind: 'tcp', host: '127.0.0.1', port: 9001 } },
  'every IPv4 interface': { text: '0.0.0.0:9001', address: { kind: 'tcp', host: '0.0.0.0', port: 9001 } },
  'every interface': { text: '[::]:9001', address: { kind: 'tcp', host: '::', port: 9001 } },
  'IPv6 loopback': { text: '[::1]:9001', address: { kind: 'tcp', host: '::1', port: 9001 } },
  'IPv6 with a zone': { text: '[fe80::1%eth0]:9001', address: { kind: 'tcp', host: 'fe80::1%eth0', port: 9001 } },
  'host name': { text: 'localhost:9001', address: { kind: 'tcp', host: 'localhost', port: 9001 } },
  'host name with labels': { text: 'a-1.b.example:1', address: { kind: 'tcp', host: 'a-1.b.example', port: 1 } },
  'any free port': { text: '127.0.0.1:0', address: { kind: 'tcp', host: '127.0.0.1', port: 0 } },
  'highest port': { text: '127.0.0.1:65535', address: { kind: 'tcp', host: '127.0.0.1', port: 65_535 } },
  'unix socket': { text: 'unix:/run/authz.sock', address: { kind: 'unix', path: '/run/authz.sock' } },
  'unix socket as gRPC writes it': {
    text: 'unix:///run/authz.sock',
    address: { kind: 'unix', path: '/run/authz.sock' },
    written: 'unix:/run/authz.sock',
  },
  'longest socket path': {
    text: `unix:/${'x'.repeat(106)}`,
    address: { kind: 'unix', path: `/${'x'.repeat(106)}` },
  },
};

it.each(Object.entries(good))('%s: parsed, and written back', (_name, { text, address, written }) => {
  expect(parseAddress(text)).toEqual(address);
  expect(formatAddress(address)).toBe(written ?? text);
});

const bad: Record<string, { text: string; problem: RegExp }> = {
  'empty: no port': { text: '', problem: /port is missing/ },
  'host alone: no port': { text: '127.0.0.1', problem: /port is missing/ },
  'bracketed host alone: no port': { text: '[::1]', problem: /port is missing/ },
  'nothing after the colon: bad port': { text: '127.0.0.1:', problem: /number from 0 to 65535/ },
  'port of letters: bad port': { text: '127.0.0.1:http', problem: /number from 0 to 65535/ },
  'port over 65535: bad port': { text: '127.0.0.1:65536', problem: /number from 0 to 65535/ },
  'negative port: bad port': { text: '127.0.0.1:-1', problem: /number from 0 to 65535/ },
  'port in hexadecimal: bad port': { text: '127.0.0.1:0x50', problem: /number from 0 to 65535/ },
  'port with a space: bad port': { text: '127.0.0.1:9001 ', problem: /number from 0 to 65535/ },
  'port alone: host must be named': { text: ':9001', problem: /host is missing/ },
  'IPv6 without brackets: brackets wanted': { text: '::1:9001', problem: /in brackets/ },
  'IPv4 in brackets: no IPv6': { text: '[127.0.0.1]:9001', problem: /no IPv6 address/ },
  'nothing in brackets: no IPv6': { text: '[]:9001', problem: /no IPv6 address/ },
  'IPv4 out of range: no host': { text: '256.0.0.1:9001', problem: /neither an IP address/ },
  'short IPv4: no host': { text: '127.1:9001', problem: /neither an IP address/ },
  'star: no host': { text: '*:9001', problem: /neither an IP address/ },
  'URL: no host': { text: 'http://127.0.0.1:9001', problem: /in brackets/ },
  'label ends in a hyphen: no host': { text: 'a-.example:9001', problem: /neither an IP address/ },
  'host with a space: no host': { text: 'a b:9001', problem: /neither an IP address/ },
  'host over 253 characters: no host': { text: `${'a.'.repeat(127)}a:9001`, problem: /neither an IP address/ },
  'relative socket path: absolute wanted': { text: 'unix:relative.sock', problem: /must be absolute/ },
  'no socket path: absolute wanted': { text: 'unix:', problem: /must be absolute/ },
  'abstract socket: absolute wanted': { text: 'unix:@authz', problem: /must be absolute/ },
  'URL with a host: absolute wanted': { text: 'unix://run/authz.sock', problem: /must be absolute/ },
  'socket path of a folder: file wanted': { text: 'unix:/run/', problem: /must name a file/ },
  'socket path with NUL: file wanted': { text: 'unix:/run/a\0b', problem: /must name a file/ },
  'socket path over 107 bytes: too long': { text: `unix:/${'x'.repeat(107)}`, problem: /107 bytes/ },
  'socket path over 107 bytes, not characters: too long': { text: `unix:/${'é'.repeat(54)}`, problem: /107 bytes/ },
};

it.each(Object.entries(bad))('%s', (_name, { text, problem }) => {
  expect(parseAddress(text)).toMatch(problem);
});
