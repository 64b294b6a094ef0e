/**
 * Promises: the ways in which Scopegate shows an issuer who it is, as a client that asks for tokens or about them.
 */

/** How the client shows who it is. The files are those of the process that asks. */
export type ClientAuthentication =
  /** `client_secret_basic`, or `client_secret_post` where the issuer names only that one. */
  | { readonly kind: 'secret'; readonly file: string }
  /** `private_key_jwt` (RFC 7523). */
  | { readonly kind: 'private_key'; readonly file: string }
  /** `tls_client_auth` or `self_signed_tls_client_auth` (RFC 8705). */
  | { readonly kind: 'certificate'; readonly certFile: string; readonly keyFile: string };
