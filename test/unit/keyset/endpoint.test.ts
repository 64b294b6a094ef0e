import { expect, it } from 'vitest';
import { allowedUrl } from '../../../src/keyset/endpoint.ts';
import { Failure } from '../../../src/keyset/failure.ts';

const strict = { allowHttp: false, anyHost: false };
const loopback = { allowHttp: true, anyHost: false };
const anyHost = { allowHttp: true, anyHost: true };

const allowed: Record<string, readonly [string, typeof strict]> = {
  https: ['https://idp.test/jwks?v=1', strict],
  'http on 127.0.0.1 with allowHttp': ['http://127.0.0.1:8080/jwks', loopback],
  'http elsewhere in 127.0.0.0/8 with allowHttp': ['http://127.3.2.1/jwks', loopback],
  'http on ::1 with allowHttp': ['http://[::1]:8080/jwks', loopback],
  'http on localhost, in capitals, with allowHttp': ['HTTP://LOCALHOST/jwks', loopback],
  'http on another host with anyHost': ['http://idp.test/jwks', anyHost],
};

it.each(Object.entries(allowed))('JWK-07 %s: allowed', (_name, [text, insecure]) => {
  expect(allowedUrl(text, insecure)).toBeInstanceOf(URL);
});

const refused: Record<string, readonly [string, typeof strict]> = {
  'http on loopback without allowHttp': ['http://127.0.0.1/jwks', strict],
  'anyHost alone': ['http://idp.test/jwks', { allowHttp: false, anyHost: true }],
  'http on another host': ['http://idp.test/jwks', loopback],
  'http on a host that begins like loopback': ['http://127.0.0.1.idp.test/jwks', loopback],
  'http on a host that ends like loopback': ['http://idp.localhost/jwks', loopback],
  'http on an address that maps to loopback': ['http://[::ffff:127.0.0.1]/jwks', loopback],
  'http on the unspecified address': ['http://0.0.0.0/jwks', loopback],
  'another scheme': ['file:///etc/passwd', anyHost],
  'no URL': ['idp.test/jwks', strict],
  empty: ['', strict],
  credentials: ['https://user:secret@idp.test/jwks', strict],
  'a fragment': ['https://idp.test/jwks#keys', strict],
  'an empty fragment': ['https://idp.test/jwks#', strict],
};

it.each(Object.entries(refused))('JWK-07 DI-04 %s: url_refused', (_name, [text, insecure]) => {
  expect(allowedUrl(text, insecure)).toEqual(new Failure('url_refused'));
});
