/** Promises: each client as a program that is told where everything is (settings.ts), calls the API in its ways and says what it was answered. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runJsonProgram } from '../json-program.ts';
import type { ClientParts } from './install.ts';
import type { Answers, Settings } from './settings.ts';

export type RunClient = (parts: ClientParts, settings: Settings) => Promise<Answers>;

function script(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

async function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  input: unknown,
): Promise<Answers> {
  return (await runJsonProgram({ name: args.at(0) ?? command, command, args, env }, input)) as Answers;
}

export const oauthlib: RunClient = ({ python }, settings) =>
  run('python3', [script('oauthlib_client.py')], { PYTHONPATH: python }, settings);

export const openidClient: RunClient = ({ npm }, settings) =>
  run(process.execPath, [script('openid-client.ts'), npm], {}, settings);

export const passport: RunClient = ({ npm }, settings) =>
  run(process.execPath, [script('passport.ts'), npm], {}, settings);

export const browser: RunClient = ({ npm, chromium }, settings) =>
  run(process.execPath, [script('browser.ts'), npm, chromium.command], chromium.env, settings);

/** Java looks names up in a file, so that it finds the API at Envoy under its own name. */
export const spring: RunClient = async ({ springJar }, { api, keycloak, oidc, service, scopeless }) => {
  const registrations = [
    { name: 'Keycloak, client credentials', client: service, scope: 'orders:read', provider: 'keycloak' },
    { name: 'Keycloak, without the scope', client: scopeless, scope: undefined, provider: 'keycloak' },
    { name: 'oidc-provider, client credentials', client: service, scope: 'orders:read', provider: 'oidc' },
  ];
  const registration = Object.fromEntries(
    registrations.map(({ client, scope, provider }, index) => [
      `r${index}`,
      {
        'client-id': client,
        'client-secret': `${client}-secret`,
        'authorization-grant-type': 'client_credentials',
        provider,
        scope,
      },
    ]),
  );
  const provider = { keycloak: { 'issuer-uri': keycloak.issuer }, oidc: { 'issuer-uri': oidc.issuer } };
  const oauth = { client: { registration, provider } };
  const properties = { spring: { security: { oauth2: oauth } }, logging: { level: { root: 'error' } } };
  const folder = await mkdtemp(join(tmpdir(), 'scopegate-interop-'));
  try {
    const hosts = join(folder, 'hosts');
    await writeFile(hosts, `127.0.0.1 ${api.host} localhost\n`);
    const url = new URL(api.url);
    url.hostname = api.host;
    const java = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', `-Djdk.net.hosts.file=${hosts}`, '-jar', springJar];
    const env = { SPRING_APPLICATION_JSON: JSON.stringify(properties) };
    const answers = await run('java', [...java, url.href, ...Object.keys(registration)], env, {});
    const named = Object.entries(answers).map(([id, answer]) => [
      registrations[Number(id.slice(1))]?.name ?? id,
      answer,
    ]);
    return Object.fromEntries(named) as Answers;
  } finally {
    await rm(folder, { recursive: true });
  }
};
