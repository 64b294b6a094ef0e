/**
 * Promises: the policy of the files on a command line, or the exit code after everything that is wrong with them is on stderr, in the
 * lines that lint writes. Its own tests are not run: a policy whose tests fail is one that somebody wants to look into.
 */
import { compilePolicy } from '../policy/compile-policy.ts';
import { readPolicyFile } from '../policy/manifest.ts';
import { byPlace, formatProblem } from '../policy/problem.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { printable } from '../report/printable.ts';
import { type InputPorts, readInputs } from './input.ts';

export interface PolicyPorts extends InputPorts {
  readonly writeError: (text: string) => void;
}

/** `command` names who complains. */
export async function readPolicy(
  command: string,
  names: readonly string[],
  ports: PolicyPorts,
): Promise<PolicySnapshot | 2> {
  const files = await readInputs(names, ports);
  if ('errors' in files) {
    ports.writeError(files.errors.map((error) => `scopegate ${command}: ${error}\n`).join(''));
    return 2;
  }
  const parsed = files.map(readPolicyFile);
  const { snapshot, problems } = await compilePolicy(parsed.flatMap(({ documents }) => documents));
  if (snapshot !== undefined && parsed.every((file) => file.problems.length === 0)) return snapshot;
  const all = [...parsed.flatMap((file) => file.problems), ...problems].toSorted(byPlace);
  ports.writeError(all.map((problem) => `${printable(formatProblem(problem))}\n`).join(''));
  const count = all.length === 0 ? 'no document' : `${all.length} error${all.length === 1 ? '' : 's'}`;
  ports.writeError(`scopegate ${command}: the policy cannot be used: ${count}\n`);
  return 2;
}
