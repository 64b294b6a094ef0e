/**
 * Promises: what the demo prints when it stays up: commands that work as they stand, and what to change next.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stage } from './stage.ts';

/** Puts the tokens into files, so that the commands stay short. */
export async function invitation(stage: Stage): Promise<string[]> {
  const { folder, tokens } = stage;
  await writeFile(join(folder, 'reader'), tokens['orders:read'], { mode: 0o600 });
  await writeFile(join(folder, 'writer'), tokens['orders:write'], { mode: 0o600 });
  const base = `http://127.0.0.1:${stage.envoy.port}`;
  const bearer = (name: string): string => `-H "Authorization: Bearer $(cat ${folder}/${name})"`;
  return [
    '',
    'It all keeps running. Try, in another terminal:',
    '',
    `  curl -i ${base}/api/orders`,
    `  curl -i ${bearer('reader')} ${base}/api/orders`,
    `  curl -i ${bearer('writer')} -X POST ${base}/api/orders/42`,
    `  curl -i ${bearer('reader')} -H 'x-user-id: root' ${base}/api/orders`,
    `  curl -s ${stage.scopegate.admin}/metrics | grep scopegate_checks`,
    '',
    `The policy is ${stage.policyFile}`,
    'Edit it, save it and try again: a good version is in force at once, a bad one is reported below and changes nothing.',
    'Ctrl-C stops everything. What Scopegate logs:',
    '',
  ];
}
