/**
 * Promises: the names under which health can be asked for; the empty one is the server as a whole.
 */
export const healthNames: readonly string[] = ['', 'envoy.service.auth.v3.Authorization'];
