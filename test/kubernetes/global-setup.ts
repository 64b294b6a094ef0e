/**
 * The programs that every file of these tests needs, found or built before the first of them, where building can take minutes and its
 * progress can be shown.
 */
import { kubernetesAssets } from './assets.ts';

export async function setup(): Promise<void> {
  await kubernetesAssets({ env: process.env, report: (line) => process.stderr.write(`${line}\n`) });
}
