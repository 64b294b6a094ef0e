/**
 * Promises: the request as Envoy described it, in a shape that no transport or encoding shows through.
 * Leaves to others: decoding (envoy/check-request.ts) and canonical spelling (policy/path.ts).
 */

/** Headers of the request. Names are lower-case; lookups never touch a prototype (EA-42). */
export interface RequestHeaders {
  /**
   * Every value sent under a lower-case name, in order; empty when the name was not sent. In Envoy's map encoding
   * several values arrive as one, joined by `,` (EA-40). A value that is no UTF-8 is `undefined`: there is no text to read (EA-41).
   */
  values(name: string): readonly (string | undefined)[];
  /** Lower-case names that hold an underscore: what a backend that folds `_` to `-` may take for another header (EA-13). */
  readonly underscoreNames: readonly string[];
}

/** One request, as the authorizer is asked about it. All strings are as the client sent them. */
export interface RequestAttributes {
  /** Envoy's own id of the request, nothing that a client sends; empty when it gave none (EA-55). */
  readonly id: string;
  readonly method: string;
  /** `:authority` with its port. */
  readonly host: string;
  /** `:path`, with the query string. Bytes over 0x7e are kept as Latin-1 characters and later refused. */
  readonly path: string;
  readonly headers: RequestHeaders;
  /** URL-encoded PEM of the client certificate that Envoy verified or saw; empty without one (EA-56). */
  readonly certificate: string;
}
