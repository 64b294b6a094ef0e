/**
 * Promises: what was tried and what came of it, as rows of docs/interop.md. A row is a test: what was really answered has to be what is
 * expected, and at the end the rows have to be those of the page. `UPDATE_DOCS=1` writes the page anew from what was answered.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const page = fileURLToPath(new URL('../../docs/interop.md', import.meta.url));

export interface Row {
  /** All cells but the last. */
  readonly what: readonly string[];
  readonly result: string;
}

export class InteropTable {
  readonly #section: string;
  readonly #columns: readonly string[];
  readonly #rows: Row[] = [];

  /** `section` is the name in the markers of the page; the last of `columns` is the result. */
  constructor(section: string, columns: readonly string[]) {
    this.#section = section;
    this.#columns = columns;
    afterAll(() => this.#print());
  }

  /** A test whose answer becomes a row. */
  row(what: string | readonly string[], expected: string, answer: () => Promise<string>): void {
    const cells = [what].flat();
    it(`${cells.join(', ')}: ${expected}`, async () => {
      const result = await answer();
      this.record(cells, result);
      expect(result).toBe(expected);
    });
  }

  /** A row of a test that looks at its answer itself. */
  record(what: readonly string[], result: string): void {
    this.#rows.push({ what, result });
  }

  /** The last test of its file. */
  compareWithPage(): void {
    it('docs/interop.md has these rows, and no other', async () => {
      const [before, inner, after] = await split(`interop: ${this.#section}`);
      if (process.env['UPDATE_DOCS'] === '1') await writeFile(page, `${before}${this.#text()}${after}`);
      else expect(inner).toBe(this.#text());
      expect(this.#rows.length).toBeGreaterThan(0);
    });
  }

  /** What was measured: it differs each time, so it is written to the page and not compared. */
  async writeFigures(lines: readonly string[]): Promise<void> {
    process.stdout.write(`\n${lines.join('\n')}\n`);
    if (process.env['UPDATE_DOCS'] !== '1') return;
    const [before, , after] = await split(`figures: ${this.#section}`);
    await writeFile(page, `${before}${lines.map((line) => `- ${line}\n`).join('')}${after}`);
  }

  #text(): string {
    const line = (cells: readonly string[]): string =>
      `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
    const rows = this.#rows.map(({ what, result }) => line([...what, result]));
    return `${[line(this.#columns), `|${'---|'.repeat(this.#columns.length)}`, ...rows].join('\n')}\n`;
  }

  #print(): void {
    process.stdout.write(`\n${this.#section}\n${this.#text()}\n`);
  }
}

/** The page before, in and after a section. */
async function split(section: string): Promise<readonly [string, string, string]> {
  const text = await readFile(page, 'utf8');
  const start = `<!-- ${section} -->\n`;
  const from = text.indexOf(start);
  const to = text.indexOf(`<!-- /${section.split(':')[0]} -->`, from);
  if (from === -1 || to === -1) throw new Error(`docs/interop.md has no section ${section}`);
  const begin = from + start.length;
  return [text.slice(0, begin), text.slice(begin, to), text.slice(to)];
}
