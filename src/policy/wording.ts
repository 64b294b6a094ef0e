/**
 * Promises: how words of the operator's text appear in a message: short, on one line, and marked.
 */
const longest = 60;

export function quote(word: string): string {
  const line = word.replaceAll(/[\p{C}\p{Zl}\p{Zp}`]/gu, '?');
  return `\`${line.length > longest ? `${line.slice(0, longest)}…` : line}\``;
}
