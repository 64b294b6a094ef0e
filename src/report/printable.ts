/**
 * Promises: text of tokens, requests, logs and names of files that cannot steer the terminal it is shown on, and stays one line.
 */

/** Controls, format characters such as direction marks, separators and lone surrogates as the escapes that JSON has for them. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) =>
    character.split('').map(escapeUnit).join(''),
  );
}

/** The same document, indented: the escapes are those of JSON, and its line ends are no part of its texts. */
export function printableJson(value: object): string {
  const lines = JSON.stringify(value, undefined, 2).split('\n');
  return `${lines.map(printable).join('\n')}\n`;
}

/** Of a UTF-16 code unit. */
function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
