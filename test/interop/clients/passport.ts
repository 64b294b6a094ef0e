/**
 * A program with a web application of Express and passport.js that calls the API for who is logged in: settings on standard input, what it was
 * answered on standard output. Argument: the folder whose `node_modules` has them.
 */
import { once } from 'node:events';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { Browser } from '../oauth-client.ts';
import { answerOf, fetchFromApi } from './api.ts';
import type { Answer, Answers, Settings } from './settings.ts';

interface User {
  readonly accessToken: string;
}
type AppRequest = IncomingMessage & { readonly query: Readonly<Record<string, string>>; readonly user?: User };
type AppResponse = ServerResponse & { json(body: unknown): void };
type Handler = (request: AppRequest, response: AppResponse, next: (error?: unknown) => void) => unknown;
interface App {
  use(handler: Handler): void;
  get(path: string, ...handlers: readonly Handler[]): void;
  listen(port: number, host: string): Server;
}
type Done = (error: unknown, user?: User) => void;
interface Passport {
  use(strategy: object): void;
  initialize(): Handler;
  authenticate(strategy: string, options: object): Handler;
}
type OAuth2Strategy = new (
  options: object,
  verify: (accessToken: string, refreshToken: string, profile: unknown, done: Done) => void,
) => object;

const load = createRequire(join(process.argv[2] ?? '', 'package.json'));
const express = load('express') as () => App & RequestListener;
const session = load('express-session') as (options: object) => Handler;
const passport = load('passport') as Passport;
const { Strategy } = load('passport-oauth2') as { Strategy: OAuth2Strategy };
const settings = (await json(process.stdin)) as Settings;
const { api, keycloak, redirectUri, user, web } = settings;

const options = {
  authorizationURL: keycloak.authorization,
  tokenURL: keycloak.token,
  clientID: web,
  clientSecret: `${web}-secret`,
  callbackURL: redirectUri,
  pkce: true,
  state: true,
};
passport.use(new Strategy(options, (accessToken, _refreshToken, _profile, done) => done(null, { accessToken })));

const app = express();
app.use(session({ secret: 'interop', resave: false, saveUninitialized: true }));
app.use(passport.initialize());
app.get('/login', (request, response, next) => {
  const scope = request.query['scope']?.split(' ');
  return passport.authenticate('oauth2', { scope })(request, response, next);
});
app.get('/callback', passport.authenticate('oauth2', { session: false }), (request, response) => {
  const headers = new Headers({ authorization: `Bearer ${request.user?.accessToken}` });
  return showAnswer(response, headers);
});
app.get('/anonymous', (_request, response) => showAnswer(response, new Headers()));

/** Express answers 500 when it fails. */
async function showAnswer(response: AppResponse, headers: Headers): Promise<void> {
  response.json(await answerOf(await fetchFromApi(settings, api.publicUrl, headers)));
}

const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');
const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

/** From the link to what the application shows. */
async function logIn(scope: string): Promise<Answer> {
  const browser = new Browser();
  const typed = { username: user.name, password: user.password };
  const landing = await browser.visit(`${base}/login?${new URLSearchParams({ scope }).toString()}`, redirectUri, typed);
  const response = await browser.open(new URL(`/callback${landing.search}`, base));
  if (!response.ok) throw new Error(`the application answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Answer;
}

const answers: Answers = {
  'no token': (await (await fetch(`${base}/anonymous`)).json()) as Answer,
  'Keycloak, code + PKCE': await logIn('openid orders:read'),
  'Keycloak, code + PKCE without the scope': await logIn('openid'),
};
server.closeAllConnections();
server.close();
process.stdout.write(`${JSON.stringify(answers)}\n`);
