/**
 * Promises: the text of one option becomes a value, or a sentence that says what was expected. Nothing here throws.
 * Leaves to others: which option it is and where its text came from (read-serve-settings.ts).
 */
export type Parsed<T> = { readonly value: T } | { readonly problem: string };

export type Parser<T> = (text: string) => Parsed<T>;

const shownCharacters = 80;

/** `expected …, got "…"`; the text is quoted, escaped and cut, so that it stays one line. */
export function unexpected(expected: string, text: string): { readonly problem: string } {
  const shown = text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text;
  return { problem: `expected ${expected}, got ${JSON.stringify(shown)}` };
}

/** One of a closed list of words. */
export function choice<const Word extends string>(words: readonly Word[]): Parser<Word> {
  return (text) => {
    const value = words.find((word) => word === text);
    return value === undefined ? unexpected(words.join(', '), text) : { value };
  };
}

/** Decimal digits only: no sign, exponent, fraction or hexadecimal form. */
export function wholeNumber(min: number, max: number, unit: string): Parser<number> {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max
      ? { value }
      : unexpected(`a whole number from ${min} to ${max} (${unit})`, text);
  };
}

/** A share from 0 to 1. */
export function share(text: string): Parsed<number> {
  const value = /^(?:\d+|\d*\.\d+)$/.test(text) ? Number(text) : Number.NaN;
  return value >= 0 && value <= 1 ? { value } : unexpected('a share from 0 to 1, such as 0.01', text);
}

/** Permission bits of a file in octal, as chmod takes them. */
export function fileMode(text: string): Parsed<number> {
  return /^0?[0-7]{3}$/.test(text)
    ? { value: Number.parseInt(text, 8) }
    : unexpected('permission bits in octal, such as 0660', text);
}

/** What a switch is given by its environment variable. */
export function truth(text: string): Parsed<boolean> {
  if (text === 'true' || text === '1') {
    return { value: true };
  }
  return text === 'false' || text === '0' ? { value: false } : unexpected('true or false', text);
}

/** The name of a file; whether it is there is found out when it is read. */
export function filePath(text: string): Parsed<string> {
  return text !== '' && !text.includes('\0') ? { value: text } : unexpected('the path of a file', text);
}

const unitMs = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
const durationPattern = /^(?:(?<h>\d{1,9})h)?(?:(?<m>\d{1,9})m)?(?:(?<s>\d{1,9})s)?(?:(?<ms>\d{1,9})ms)?$/;

/** A duration in milliseconds. The limits are written as durations, because the message shows them. */
export function duration(min: string, max: string): Parser<number> {
  const [minMs, maxMs] = [milliseconds(min), milliseconds(max)];
  return (text) => {
    const value = milliseconds(text);
    return value >= minMs && value <= maxMs
      ? { value }
      : unexpected(`a duration from ${min} to ${max}, such as 500ms, 30s, 5m or 1h30m`, text);
  };
}

/** NaN for what is no duration: it is then within no limits. */
function milliseconds(text: string): number {
  const parts = text === '' ? undefined : durationPattern.exec(text)?.groups;
  if (parts === undefined) {
    return Number.NaN;
  }
  const part = (unit: keyof typeof unitMs): number => Number(parts[unit] ?? 0) * unitMs[unit];
  return part('h') + part('m') + part('s') + part('ms');
}
