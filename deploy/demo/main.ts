/**
 * Promises: `npm run demo`: a real OAuth server, a real Envoy, Scopegate and an upstream on this machine, a table of requests with
 * what came of each, and then a place to play; whatever it started is gone when it ends.
 */
import { parseArgs } from 'node:util';
import { SetupError } from '../envoy/setup-error.ts';
import { invitation } from './invitation.ts';
import { requests } from './requests.ts';
import { send } from './send.ts';
import { type Stage, setUp } from './stage.ts';
import { isAsExpected, table } from './table.ts';

const usage = `Usage: npm run demo -- [--once] [--port-base PORT]

  --once            end after the table; exit code 0 only if every row is as expected
  --port-base PORT  Envoy listens on PORT, the OAuth server on the next one (default 9400; 0: any free ports)
`;

interface Settings {
  readonly once: boolean;
  readonly portBase: number;
}

/** Undefined when help was asked for. */
function readSettings(args: readonly string[]): Settings | undefined {
  const options = {
    once: { type: 'boolean' },
    'port-base': { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  if (values.help === true) {
    return undefined;
  }
  const text = values['port-base'] ?? '9400';
  const portBase = Number(text);
  if (!/^\d{1,5}$/.test(text) || portBase > 65_534) {
    throw new SetupError(`--port-base ${text}: expected a port from 1 to 65534, or 0`);
  }
  return { once: values.once === true, portBase };
}

function report(line: string): void {
  process.stderr.write(`· ${line}\n`);
}

function print(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** The table; true when every row is as expected. */
async function show(stage: Stage): Promise<boolean> {
  await stage.untilExpired();
  const results = [];
  for (const request of requests) {
    results.push(await send(request, stage.envoy.port, stage.tokens, stage.upstream));
  }
  const good = results.filter(isAsExpected).length;
  print('', ...table(results), '', `${good} of ${results.length} requests came out as expected.`);
  return good === results.length;
}

/** One Ctrl-C may come twice at once: from the terminal and from npm, which passes it on. */
const oneSignalMs = 1000;

/** Settles when Ctrl-C or a request to end comes; a later one ends at once, children included (child.ts). */
function interruption(): Promise<'interrupted'> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    const onSignal = (): void => {
      firstAt ??= performance.now();
      if (performance.now() - firstAt > oneSignalMs) {
        process.exit(130);
      }
      resolve('interrupted');
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, onSignal);
    }
  });
}

async function run(settings: Settings, interrupted: Promise<'interrupted'>, stage: Stage): Promise<number> {
  const broken = stage.broken.then((line) => {
    throw new SetupError(line);
  });
  const isGood = await Promise.race([show(stage), interrupted, broken]);
  if (isGood === 'interrupted') {
    return 130;
  }
  if (settings.once) {
    return isGood ? 0 : 1;
  }
  print(...(await invitation(stage)));
  stage.scopegate.onLog((line) => print(`  ${line}`));
  await Promise.race([interrupted, broken]).finally(() => stage.scopegate.onLog(() => {}));
  return 0;
}

/** Last started, first stopped; one that fails does not keep the others running. */
async function stopAll(stops: readonly (() => Promise<void>)[]): Promise<void> {
  if (stops.length > 0) {
    report('stopping everything');
  }
  for (const stop of stops.toReversed()) {
    await stop().catch((error: unknown) => report(String(error)));
  }
}

async function main(): Promise<number> {
  const settings = readSettings(process.argv.slice(2));
  if (settings === undefined) {
    print(usage);
    return 0;
  }
  const interrupted = interruption();
  const stops: (() => Promise<void>)[] = [];
  try {
    const stage = await Promise.race([setUp(settings.portBase, report, stops), interrupted]);
    return stage === 'interrupted' ? 130 : await run(settings, interrupted, stage);
  } finally {
    await stopAll(stops);
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  const isPlain = error instanceof SetupError || (error instanceof TypeError && 'code' in error);
  process.stderr.write(`demo: ${isPlain ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
}
// What was being set up when Ctrl-C came may still hold the process open.
process.exit();
