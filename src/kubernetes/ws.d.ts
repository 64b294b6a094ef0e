/**
 * Promises: the one type of the package `ws` that declarations of the Kubernetes client name. Nothing of ours opens a WebSocket, so a
 * package of types for it would be one more dependency for a word.
 */
declare module 'ws' {
  export type ClientOptions = import('node:https').RequestOptions;
}
