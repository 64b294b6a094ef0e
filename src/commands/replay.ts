/**
 * Promises: `scopegate replay` as a person and a pipe meet it: options, help, and one clear line about what is wrong with them.
 * Leaves to others: reading and comparing (replay-run.ts and replay/), loaded when they are asked for.
 */
import { type Command, Option } from 'commander';
import type { InputPorts } from './input.ts';

export interface ReplayPorts extends InputPorts {
  readonly writeOut: (text: string) => void;
  readonly writeError: (text: string) => void;
  /** Waits until what was written to stdout is out. */
  readonly flush: () => Promise<void>;
  /** Stdout is a terminal that shows colours. */
  readonly isColored: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface ReplayOptions {
  readonly policy: readonly string[];
  /** Files of the policy that decided; empty: not at hand. */
  readonly current: readonly string[];
  /** `-` is stdin; at least one. */
  readonly logs: readonly string[];
  /** Lines that come to the same are shown too. */
  readonly showsAll: boolean;
  readonly asJson: boolean;
}

const examples = `
Examples:
  scopegate replay --policy new.yaml --current policy.yaml decisions.log
      what would change if new.yaml took the place of policy.yaml
  kubectl logs deploy/scopegate | scopegate replay --policy new.yaml
      the same from a pipe; without --current, issuers are taken to be as they were
  scopegate replay --policy new.yaml --json decisions.log | jq 'select(.verdict == "changed")'
      a line of JSON for each decision that changes or cannot be told, the summary last

A log is what serve writes with --decision-log all; other lines in it are skipped. A
decision is same, changed, or undecidable: then the candidate asks for something that is
in no log, such as a claim. Without --current the issuers are taken to be unchanged, as no
log holds them; that, and what else is taken for granted, stands below the summary.

Exit codes: 0 nothing changed, 1 something did, 2 bad usage, an unreadable file or a
policy with errors.
`;

/** Adds the command; `done` is told its exit code. */
export function addReplay(program: Command, ports: ReplayPorts, done: (exitCode: number) => void): void {
  const command = program
    .command('replay')
    .summary('show which recorded decisions a policy would change')
    .description('Decides the requests of decision logs by a candidate policy, and shows what would change.')
    .usage('--policy FILE [options] [LOG…]')
    .argument('[LOG...]', 'files of decision logs; - is stdin, which is the default')
    .addOption(
      new Option(
        '--policy <FILE>',
        'a file of the candidate, - is stdin; repeatable, all together are one policy',
      ).argParser(collect),
    )
    .addOption(
      new Option(
        '--current <FILE>',
        'a file of the policy that decided: what is the same in both\ncannot change a decision; repeatable',
      ).argParser(collect),
    )
    .addOption(new Option('--all', 'show decisions that stay the same, too'))
    .addOption(new Option('--json', 'print a line of JSON for each, and the summary as the last'))
    .addHelpText('after', examples);
  command.action(async () => {
    const read = readOptions(command.args, command.opts());
    if (typeof read === 'string') return command.error(`error: ${read}`);
    const { runReplay } = await import('./replay-run.ts');
    return done(await runReplay(read, ports));
  });
}

function collect(value: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), value];
}

/** A text is what is wrong with them. */
function readOptions(args: readonly string[], given: Readonly<Record<string, unknown>>): ReplayOptions | string {
  const [policy, current] = [textsOf(given['policy']), textsOf(given['current'])];
  const logs = args.length === 0 ? ['-'] : args;
  if (policy.length === 0) return '--policy FILE is required';
  if ([...policy, ...current, ...logs].filter((name) => name === '-').length > 1) {
    return 'stdin can be read only once: as a policy or as a log';
  }
  return { policy, current, logs, showsAll: given['all'] === true, asJson: given['json'] === true };
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === 'string') : [];
}
