/**
 * Tokens signed by the libraries that issuers are written with, and by those that attackers have: every library with every algorithm that it
 * has, right and wrong in every part, through Envoy.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../deploy/envoy/config.ts';
import type { JsonProgram } from '../json-program.ts';
import { Stage } from '../stage.ts';
import { InteropTable } from '../table.ts';
import { minterPrograms } from './install.ts';
import { type Algorithm, algorithms, type MintingKeys, makeKeys, mint } from './minter.ts';
import { api, clientName, genericIssuer, orderFor, situations, strictIssuer } from './situations.ts';

/** The algorithms that a library lacks, by its own documentation; what it lacks otherwise is a failure. */
const libraries: Readonly<Record<string, readonly Algorithm[]>> = {
  jsonwebtoken: ['EdDSA', 'Ed25519'],
  jose: [],
  PyJWT: ['Ed25519'],
  'Nimbus JOSE+JWT': [],
  'golang-jwt': ['Ed25519'],
};

const table = new InteropTable('minters', ['library', ...algorithms]);
const reasons = new InteropTable('situations', ['token', 'made below the JWT layer of', 'result']);
let keys: MintingKeys;
let stage: Stage;
let programs: readonly JsonProgram[];

/** What came of one token. */
interface Tried {
  readonly what: string;
  readonly library: string;
  readonly algorithm: Algorithm;
  readonly layer: 'jwt' | 'jws';
  readonly expected: string;
  readonly answer: string;
}

const tried: Tried[] = [];

beforeAll(async () => {
  keys = makeKeys();
  programs = await minterPrograms(() => {});
  // Minting for every library takes part of a minute, and more on a busy machine.
  const common = { audiences: [api], clockSkew: '2m' };
  const withoutAlg = (name: string, value: unknown): unknown => (name === 'alg' ? undefined : value);
  const forAny = JSON.parse(JSON.stringify(keys.published, withoutAlg)) as JsonObject[];
  stage = await Stage.create({
    issuers: [
      { ...common, name: 'strict', provider: 'rfc9068', issuer: strictIssuer, jwks: inline(keys.published) },
      { ...common, name: 'generic', issuer: genericIssuer, jwks: inline(forAny) },
    ],
  });
});

afterAll(() => stage?.stop());

function inline(published: readonly JsonObject[]): JsonObject {
  return { inline: { keys: published } };
}

/** As the upstream is told it, and the JSON of every library must come to. */
function allowed(library: string): string {
  return `200 ${clientName(library).replaceAll(/[^\x20-\x7e]/g, (char) => encodeURIComponent(char))}`;
}

/** Everything that `library` makes, in one process, and what is answered. */
async function tryAll(library: string, known: readonly Algorithm[]): Promise<string> {
  const program = programs.find((candidate) => candidate.name === library);
  if (program === undefined) throw new Error(`no program for ${library}`);
  const ordered = orderFor(library, known, keys.publicSecret);
  const tokens = ordered.map(({ wanted }) => wanted);
  const { version, minted } = await mint(program, { keys: keys.keys, tokens });
  const waiting = [...ordered];
  async function work(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { algorithm, situation, wanted } = next;
      const made = minted[wanted.id];
      if (made === undefined) throw new Error(`${library} made no token: ${wanted.id}`);
      const token = situation.onTheWay?.(made.token, algorithm) ?? made.token;
      const answer = await stage.ask({ token });
      const { expected } = situation;
      tried.push({
        what: situation.what,
        library,
        algorithm,
        layer: made.layer,
        expected: typeof expected === 'string' ? expected : expected(algorithm),
        answer: answer === allowed(library) ? 'allowed' : answer,
      });
    }
  }
  // As many at a time as leave Envoy and Scopegate a core.
  await Promise.all(Array.from({ length: 4 }, work));
  return version;
}

describe.each(Object.entries(libraries))('%s', (library, lacking) => {
  const known = algorithms.filter((algorithm) => !lacking.includes(algorithm));
  let version = '';

  beforeAll(async () => {
    version = await tryAll(library, known);
  });

  it.each(known)('%s: accepted when right, refused when anything is wrong, for the reason that it is', (algorithm) => {
    const own = tried.filter((one) => one.library === library && one.algorithm === algorithm);
    expect(own.length).toBeGreaterThanOrEqual(situations.length - 2);
    expect(own.filter(({ answer, expected }) => answer !== expected)).toEqual([]);
  });

  afterAll(() => {
    if (version === '') return;
    const cells = algorithms.map((algorithm) => {
      const own = tried.filter((one) => one.library === library && one.algorithm === algorithm);
      const right = own.filter(({ answer, expected }) => answer === expected);
      const accepted = right.filter(({ answer }) => answer === 'allowed').length;
      if (own.length === 0) return '–';
      return own.length === right.length
        ? `${accepted} + ${right.length - accepted}`
        : `${own.length - right.length} wrong`;
    });
    table.record([`${library} ${version}`, ...cells.slice(0, -1)], cells.at(-1) ?? '');
  });
});

describe('every situation', () => {
  it.each(situations.map(({ what }) => what))('%s: answered alike whatever library signed', (what) => {
    const own = tried.filter((one) => one.what === what);
    expect(new Set(own.map(({ library }) => library)).size).toBe(Object.keys(libraries).length);
    const below = new Set(own.filter(({ layer }) => layer === 'jws').map(({ library }) => library));
    const answers = new Set(own.map(({ answer }) => answer));
    reasons.record([what, [...below].join(', ')], [...answers].join(', '));
    expect(own.filter(({ answer, expected }) => answer !== expected)).toEqual([]);
  });
});

describe('the tables', () => {
  table.compareWithPage();
  reasons.compareWithPage();
});
