/**
 * Promises: the CPU of node:crypto for one signature, in microseconds, by algorithm, as JSON: in a process of its own, so that it can be
 * measured while the machine is as busy as it is when an authorizer verifies. `node bare.ts`
 */
import { algorithms, createTokens } from './tokens.ts';

const count = 500;
const turns = 4;

const tokens = await createTokens();
const found: Record<string, number> = {};
for (const algorithm of algorithms) {
  const verifier = tokens.verifier(algorithm);
  const signed = (await tokens.make(algorithm, count)).map((token) => verifier.parts(token));
  for (const one of signed) verifier.verify(one);
  const start = process.cpuUsage();
  for (let turn = 0; turn < turns; turn += 1) for (const one of signed) verifier.verify(one);
  const { user, system } = process.cpuUsage(start);
  found[algorithm] = (user + system) / (count * turns);
}
console.log(JSON.stringify(found));
