/**
 * Promises: `scopegate import openapi FILE` as an operator and a pipe meet it: the policy alone on stdout, everything else on stderr.
 * Leaves to others: the translation (openapi/).
 */
import { type Command, Option } from 'commander';
import type { Imported } from '../openapi/import-openapi.ts';
import type { ImportOptions } from '../openapi/options.ts';
import { formatProblem } from '../policy/problem.ts';
import { httpsOnly, refuseUrl } from '../policy/url.ts';
import { printable } from '../report/printable.ts';
import { type InputPorts, readInputs } from './input.ts';

export interface ImportPorts extends InputPorts {
  readonly writeOut: (text: string) => void;
  readonly writeError: (text: string) => void;
}

const examples = `
Examples:
  scopegate import openapi petstore.yaml >policy.yaml
      a policy with placeholders for what the document does not tell, and on stderr what to look at
  curl -s https://api.example.com/openapi.json | scopegate import openapi - \\
      --issuer https://login.example.com --audience https://api.example.com --unsecured public
      everything that a policy needs

An operation whose security cannot be checked becomes \`access: deny\`. Nothing is allowed that the document does not
allow: where a rule cannot say exactly what it says, the rule is stricter, and the report says so.

Exit codes: 0 a policy was written, 1 nothing could be translated, 2 bad usage or an unreadable file.
`;

/** Adds the command; `done` is told its exit code. */
export function addImport(program: Command, ports: ImportPorts, done: (exitCode: number) => void): void {
  const command = program
    .command('import [KIND]')
    .summary('make a policy of a document of another kind')
    .description('Makes a policy of a document of another kind. The one kind so far: openapi.')
    .usage('openapi FILE [options]')
    .allowExcessArguments(true);
  command.action(() => {
    const [kind] = command.args;
    command.error(kind === undefined ? 'error: no kind of document given, such as openapi' : unknownKind(kind));
  });
  addOpenapi(command, ports, done);
}

function unknownKind(kind: string): string {
  return `error: unknown kind of document '${kind}', expected openapi`;
}

function addOpenapi(parent: Command, ports: ImportPorts, done: (exitCode: number) => void): void {
  const command = parent
    .command('openapi')
    .summary('an OpenAPI 3 document')
    .description(
      'Makes a policy of an OpenAPI 3.0, 3.1 or 3.2 document, YAML or JSON: paths, methods and security requirements.',
    )
    .argument('<FILE>', 'the document; - is stdin')
    .usage('FILE [options]')
    .addOption(
      new Option(
        '--unsecured <ACCESS>',
        'what becomes of operations that ask for no credentials:\npublic, or deny (default)',
      ),
    )
    .addOption(new Option('--issuer <URL>', 'the issuer (`iss`) of tokens whose scheme does not tell it'))
    .addOption(
      new Option('--audience <A>', 'the audience (`aud`) of tokens for this API; repeatable').argParser(collect),
    )
    .addOption(
      new Option(
        '--checked-elsewhere <NAME>',
        'a security scheme that something else checks, such as the\nupstream an API key: the policy asks for nothing in its stead; repeatable',
      ).argParser(collect),
    )
    .addHelpText('after', examples);
  command.action(async (file: string) => {
    const [, extra] = command.args;
    const options = extra === undefined ? readOptions(command) : `error: unexpected argument '${extra}'`;
    done(typeof options === 'string' ? command.error(options) : await runImport(file, options, ports));
  });
}

function collect(value: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), value];
}

/** A text is what is wrong with them. */
function readOptions(command: Command): ImportOptions | string {
  const given = command.opts();
  const issuer = textOf(given['issuer']);
  const refusal = issuer === undefined ? undefined : refuseUrl(issuer, httpsOnly);
  if (refusal !== undefined) return `error: --issuer: ${refusal.message}`;
  const audiences = textsOf(given['audience']);
  if (audiences.includes('')) return 'error: --audience: expected text that is not empty';
  const unsecured = textOf(given['unsecured']) ?? 'deny';
  if (unsecured !== 'public' && unsecured !== 'deny') return 'error: --unsecured: expected public or deny';
  return {
    unsecured,
    issuer,
    audiences: [...new Set(audiences)],
    checkedElsewhere: textsOf(given['checkedElsewhere']),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === 'string') : [];
}

async function runImport(name: string, options: ImportOptions, ports: ImportPorts): Promise<number> {
  const read = await readInputs([name], ports);
  if ('errors' in read) {
    ports.writeError(read.errors.map((error) => `scopegate import openapi: ${error}\n`).join(''));
    return 2;
  }
  const { importOpenapi } = await import('../openapi/import-openapi.ts');
  const [file = { name, text: '' }] = read;
  const imported = importOpenapi(file, options);
  ports.writeError(imported.problems.map((problem) => `${printable(formatProblem(problem))}\n`).join(''));
  if (imported.policy === undefined) return 1;
  ports.writeError(summary(imported));
  ports.writeOut(imported.policy);
  return 0;
}

function summary({ counts }: Imported): string {
  const { token, public: open, unsecured, untranslated } = counts;
  const refused = `${unsecured + untranslated} refused (${unsecured} without security, ${untranslated} not translated)`;
  return `scopegate import openapi: ${token} rules want a token, ${open} are public, ${refused}\n`;
}
