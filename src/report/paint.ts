/**
 * Promises: colour for a terminal. The text is the same without it.
 * Leaves to others: whether there is a terminal that shows any (main.ts).
 */
import { styleText } from 'node:util';

export type Style = 'red' | 'yellow' | 'green' | 'bold' | 'dim';

export type Paint = (style: Style, text: string) => string;

export const plain: Paint = (_style, text) => text;

const colored: Paint = (style, text) => styleText(style, text, { validateStream: false });

export function paintFor(isColored: boolean): Paint {
  return isColored ? colored : plain;
}
