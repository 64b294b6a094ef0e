/**
 * The Auth0 simulator as a process of its own: it looks for a certificate in a fixed place of the home folder, and that has to be one of ours.
 * Arguments: the folder whose `node_modules` has it, the port, the audience. Says `ready` when it listens.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';

interface Simulator {
  readonly simulation: (settings: object) => { listen(port: number, host: string): Promise<unknown> };
}

const [folder = '', port = '', audience = ''] = process.argv.slice(2);
// Its ES modules cannot sign: `jsonwebtoken` is not found as they import it.
const { simulation } = createRequire(join(folder, 'package.json'))('@simulacrum/auth0-simulator') as Simulator;
const scope = [
  { clientID: 'spa', scope: 'openid profile email offline_access orders:read' },
  { clientID: 'default', scope: 'orders:read' },
];
const users = [{ id: 'auth0|ada', name: 'Ada', email: 'ada@example.com', password: 'lovelace' }];
const options = { clientID: 'spa', audience, scope, domain: `localhost:${port}`, port: Number(port) };
await simulation({ options, initialState: { users } }).listen(Number(port), '127.0.0.1');
process.stdout.write('ready\n');
