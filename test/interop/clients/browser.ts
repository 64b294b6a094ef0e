/**
 * A program with a real Chromium, in which a page logs in with oidc-client-ts and calls the API: settings on standard input, what it was
 * answered on standard output. Arguments: the folder whose `node_modules` has playwright-core, the command of Chromium.
 *
 * The page and the API are of one origin, whose name Chromium finds at Envoy.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import type { Answers, Settings } from './settings.ts';

interface Page {
  goto(url: string): Promise<unknown>;
  evaluate(expression: string): Promise<unknown>;
  fill(selector: string, text: string): Promise<void>;
  press(selector: string, key: string): Promise<void>;
  waitForFunction(expression: string): Promise<unknown>;
  on(event: 'console', take: (message: { text(): string }) => void): void;
  on(event: 'pageerror', take: (error: Error) => void): void;
}
interface Context {
  newPage(): Promise<Page>;
  setDefaultTimeout(ms: number): void;
  close(): Promise<void>;
}
interface Playwright {
  readonly chromium: {
    launch(options: object): Promise<{ newContext(options: object): Promise<Context>; close(): Promise<void> }>;
  };
}

const [folder = '', executablePath = ''] = process.argv.slice(2);
const { chromium } = createRequire(join(folder, 'package.json'))('playwright-core') as Playwright;
const { api, keycloak, spa, spaDpop, user } = (await json(process.stdin)) as Settings;
const app = new URL('/app/', api.publicUrl).href;

const browser = await chromium.launch({
  executablePath,
  // Its sandbox needs rights that a container does not give, and no page here is a stranger's.
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    `--host-resolver-rules=MAP ${api.host}:443 127.0.0.1:${api.tlsPort}`,
  ],
});

interface Login {
  readonly client: string;
  readonly scope: string;
  readonly dpop?: boolean;
}

/** A browser without a past logs in. */
async function logIn(login: Login): Promise<Answers> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  context.setDefaultTimeout(60_000);
  try {
    const page = await context.newPage();
    page.on('console', (message) => process.stderr.write(`page: ${message.text()}\n`));
    page.on('pageerror', (error) => process.stderr.write(`page: ${error.message}\n`));
    const settings = JSON.stringify({ authority: keycloak.issuer, ...login });
    await page.goto(app);
    await page.evaluate(`void begin(${settings})`);
    await page.fill('#username', user.name);
    await page.fill('#password', user.password);
    await page.press('#password', 'Enter');
    await page.waitForFunction(`typeof finish === 'function' && new URLSearchParams(location.search).has('code')`);
    return (await page.evaluate(`finish(${settings}, ${JSON.stringify(api.publicUrl)})`)) as Answers;
  } finally {
    await context.close();
  }
}

const all = {
  'code + PKCE': await logIn({ client: spa, scope: 'openid orders:read' }),
  'code + PKCE without the scope': await logIn({ client: spa, scope: 'openid' }),
  'code + PKCE, DPoP': await logIn({ client: spaDpop, scope: 'openid orders:read', dpop: true }),
};
await browser.close();
const plain = all['code + PKCE'];
const answers = {
  'no token': plain['no token'],
  'Keycloak, code + PKCE': plain['Bearer'],
  'Keycloak, code + PKCE without the scope': all['code + PKCE without the scope']['Bearer'],
  'Keycloak, code + PKCE, DPoP': all['code + PKCE, DPoP']['DPoP'],
  'Keycloak, code + PKCE, DPoP, then as Bearer': all['code + PKCE, DPoP']['Bearer'],
};
process.stdout.write(`${JSON.stringify(answers)}\n`);
