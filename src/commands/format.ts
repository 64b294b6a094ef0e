/**
 * Promises: `--format` and `--json`, the same on every command that prints a result.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';

/** The first format is the default. */
export function addFormat(command: Command, formats: readonly string[]): void {
  const [first = ''] = formats;
  const words = `${formats.slice(0, -1).join(', ')} or ${formats.at(-1) ?? ''}`;
  command.addOption(
    new Option('--format <FORMAT>', `how the result is printed: ${words}\n[default ${first}]`).argParser((value) => {
      if (formats.includes(value)) return value;
      throw new InvalidArgumentError(`Expected ${words}.`);
    }),
  );
  command.addOption(new Option('--json', 'the same as --format json').conflicts('format'));
}

/** The format that was chosen; undefined: the default. */
export function formatOf(command: Command): string | undefined {
  const format: unknown = command.getOptionValue('format');
  if (command.getOptionValue('json') === true) return 'json';
  return typeof format === 'string' ? format : undefined;
}
