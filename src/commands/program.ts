/**
 * Promises: argv becomes a command and an exit code. Bad usage is one clear line on stderr and 2; help and version go to stdout and
 * are 0.
 * Leaves to others: what a command does (serve.ts), and ending the process (main.ts).
 */
import { Command, CommanderError, type OutputConfiguration } from 'commander';
import { printable } from '../report/printable.ts';
import { addExplain, type ExplainPorts } from './explain.ts';
import { addImport, type ImportPorts } from './import.ts';
import { lintCommand } from './lint.ts';
import { addPolicyFilesCommand, type PolicyFilesPorts } from './policy-files.ts';
import { addReplay, type ReplayPorts } from './replay.ts';
import { addServe, type ServePorts } from './serve.ts';
import { testCommand } from './test.ts';
import { addWorker, type WorkerCommandPorts } from './worker.ts';

export interface ProgramPorts
  extends ServePorts,
    ImportPorts,
    PolicyFilesPorts,
    ExplainPorts,
    ReplayPorts,
    WorkerCommandPorts {
  /** Columns of the terminal; undefined: none. */
  readonly columns: number | undefined;
}

const widestColumns = 100;

/** `args` are those after the name of the program. */
export async function runProgram(args: readonly string[], ports: ProgramPorts): Promise<number> {
  let exitCode = 0;
  const done = (code: number): void => {
    exitCode = code;
  };
  const program = createProgram(ports);
  addServe(program, ports, done);
  addPolicyFilesCommand(program, lintCommand, ports, done);
  addPolicyFilesCommand(program, testCommand, ports, done);
  addExplain(program, ports, done);
  addReplay(program, ports, done);
  addImport(program, ports, done);
  addWorker(program, ports, done);
  for (const command of withSubcommands(program)) {
    command.configureOutput(outputOf(command, ports));
  }
  if (args.length === 0) {
    ports.writeError('scopegate: no command given; see scopegate --help\n');
    return 2;
  }
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? 0 : 2;
    }
    throw error;
  }
}

function createProgram(ports: ProgramPorts): Command {
  return new Command('scopegate')
    .description(
      'Scopegate decides for Envoy which requests may pass: access tokens (OAuth 2.1, OpenID Connect) against a policy.',
    )
    .version(ports.version, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .usage('COMMAND [options]')
    .addHelpText('after', '\nscopegate COMMAND --help says more about a command.\n')
    .configureHelp({
      // The longest option leaves less than 40 columns of 80.
      minWidthToWrap: 30,
      optionTerm: ({ flags }) => flags.replaceAll(/[<>]/g, ''),
      subcommandTerm: (command) => command.name(),
    })
    .exitOverride();
}

function withSubcommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}

function outputOf(command: Command, ports: ProgramPorts): OutputConfiguration {
  const name = fullName(command);
  const width = Math.min(ports.columns ?? widestColumns, widestColumns);
  return {
    writeOut: ports.writeOut,
    writeErr: ports.writeError,
    getOutHelpWidth: () => width,
    getOutHasColors: () => false,
    outputError: (text, write) => write(usageLine(name, text)),
  };
}

/** One line: what is wrong, what may have been meant, and where to read on. */
function usageLine(name: string, text: string): string {
  const message = text
    .trim()
    .replace(/^error: /, '')
    .replaceAll(/\s*\n\s*/g, ' ');
  return `${name}: ${printable(message)}; see ${name} --help\n`;
}
