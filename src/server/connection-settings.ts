/**
 * Promises: the limits of a connection with Envoy, the same for every transport, each with its reason.
 */

/** Envoy opens a further connection at the limit, so this bounds what one connection can make us hold, not what we serve. */
export const maxConcurrentStreams = 1024;

/** A peer whose node is gone sends no FIN. Envoy answers pings, also while it has nothing to ask. */
export const keepalive = { timeMs: 60_000, timeoutMs: 20_000 } as const;

/** A client that does not finish its TLS handshake within this time holds a socket for nothing. */
export const handshakeTimeoutMs = 10_000;
