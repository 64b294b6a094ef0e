/** What every file of these tests needs, fetched before the first of them, where that can take minutes and its progress can be shown. */
import { envoyBinary } from '../../deploy/envoy/install.ts';
import { clientParts } from './clients/install.ts';
import { interopPackages, keycloakHome } from './install.ts';
import { minterPrograms } from './minters/install.ts';

export async function setup(): Promise<void> {
  const report = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  await envoyBinary(report);
  await keycloakHome(report);
  await interopPackages(report);
  await minterPrograms(report);
  await clientParts(report);
}
