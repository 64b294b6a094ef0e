/**
 * Promises: the sidecar is loaded when it is started and not before, so that help and mistakes are answered at once.
 */
import type { ServeSettings } from '../config/settings.ts';
import type { Running } from './serve.ts';

export async function startLoaded(settings: ServeSettings): Promise<Running> {
  const { startSidecar } = await import('../sidecar/sidecar.ts');
  return startSidecar(settings);
}
