/**
 * cognito-local, an emulator of Amazon Cognito: what Scopegate makes of the three tokens of a sign-in. Its refresh token passes for a token
 * of the pool, signature and issuer and all; that of the real one is encrypted.
 */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type Emulator, startCognito } from './emulators.ts';
import { requestToken } from './oauth-client.ts';
import { Stage } from './stage.ts';
import { InteropTable } from './table.ts';
import { read } from './token.ts';

const table = new InteropTable('cognito', ['cognito-local', 'result']);
let cognito: Emulator;
let stage: Stage;
let client: string;
let otherClient: string;

const redirectUri = 'http://127.0.0.1:9999/callback';
const user = { name: 'ada@example.com', password: 'Passw0rd!' };

beforeAll(async () => {
  cognito = await startCognito();
  const { UserPool } = await call<{ UserPool: { Id: string } }>('CreateUserPool', { PoolName: 'orders' });
  const pool = { UserPoolId: UserPool.Id };
  const createClient = async (ClientName: string): Promise<string> => {
    const settings = { ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'], CallbackURLs: [redirectUri] };
    const made = await call<{ UserPoolClient: { ClientId: string } }>('CreateUserPoolClient', {
      ...pool,
      ClientName,
      ...settings,
    });
    return made.UserPoolClient.ClientId;
  };
  client = await createClient('web');
  otherClient = await createClient('other');
  const UserAttributes = [
    { Name: 'email', Value: user.name },
    { Name: 'email_verified', Value: 'true' },
  ];
  await call('AdminCreateUser', { ...pool, Username: user.name, MessageAction: 'SUPPRESS', UserAttributes });
  await call('AdminSetUserPassword', { ...pool, Username: user.name, Password: user.password, Permanent: true });
  stage = await Stage.create({
    issuers: [
      {
        name: 'cognito',
        issuer: `${cognito.url}/${UserPool.Id}`,
        provider: 'cognito',
        clientIds: [client],
        insecure: { allowHttp: true },
      },
    ],
    require: { scopes: ['aws.cognito.signin.user.admin'] },
  });
});

afterAll(async () => {
  await stage?.stop();
  await cognito?.stop();
});

/** One call of the API of AWS, whose signature the emulator does not look at. */
async function call<T>(operation: string, body: object): Promise<T> {
  const response = await fetch(cognito.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `AWSCognitoIdentityProviderService.${operation}`,
      authorization: 'AWS4-HMAC-SHA256 Credential=local/20260101/local/cognito-idp/aws4_request',
    },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${operation}: ${response.status} ${text}`);
  return JSON.parse(text) as T;
}

interface SignedIn {
  readonly AccessToken: string;
  readonly IdToken: string;
  readonly RefreshToken: string;
}

async function signIn(ClientId: string): Promise<SignedIn> {
  const AuthParameters = { USERNAME: user.name, PASSWORD: user.password };
  const body = { ClientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters };
  return (await call<{ AuthenticationResult: SignedIn }>('InitiateAuth', body)).AuthenticationResult;
}

/** The client's id is another one each time. */
async function ask(token: string): Promise<string> {
  return (await stage.ask({ token })).replace(client, 'web');
}

describe('cognito-local', () => {
  let tokens: SignedIn;

  table.row('discovery and keys', 'ready', async () => String((await stage.serve.readyz()).body['status']));

  table.row('a sign-in with a password: the access token, which has no `aud`', '200 web', async () => {
    tokens = await signIn(client);
    expect(read(tokens.AccessToken).payload).not.toHaveProperty('aud');
    return ask(tokens.AccessToken);
  });

  table.row('its ID token', '401 token_type_refused', () => ask(tokens.IdToken));

  table.row('its refresh token: a JWT by the key of the pool', '401 token_type_refused', async () => {
    expect(read(tokens.RefreshToken).payload['iss']).toBe(read(tokens.AccessToken).payload['iss']);
    return ask(tokens.RefreshToken);
  });

  table.row('an access token of another client of the pool', '401 client_not_allowed', async () => {
    return ask((await signIn(otherClient)).AccessToken);
  });

  table.row('code + PKCE: the access token', '200 web', async () => {
    const verifier = randomBytes(32).toString('base64url');
    const response = await fetch(`${cognito.url}/oauth2/authorize`, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({
        client_id: client,
        redirect_uri: redirectUri,
        response_type: 'code',
        scope: 'openid',
        state: 's',
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
        username: user.name,
        password: user.password,
      }),
    });
    const code = new URL(response.headers.get('location') ?? '').searchParams.get('code') ?? '';
    const grant = { grant_type: 'authorization_code', redirect_uri: redirectUri, code_verifier: verifier, code };
    const answer = await requestToken(`${cognito.url}/oauth2/token`, client, grant);
    return ask(answer.access_token);
  });
});

describe('the table', () => table.compareWithPage());
