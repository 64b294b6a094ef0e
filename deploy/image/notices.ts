/**
 * Promises: one text with the licence and the notices of every package of which something is in the bundle. Throws for a package whose
 * terms are not known to be fine, or that does not say them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Terms that ask for nothing but to be told of. */
const fine = new Set([
  'Apache-2.0',
  'MIT',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'Unlicense',
  'BlueOak-1.0.0',
]);

/** For packages that name it and bring neither text nor notice of their own. */
const mit = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify,
merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE
FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

interface Terms {
  readonly title: string;
  readonly license: string;
  readonly texts: readonly string[];
}

/** `modules` are the files that were bundled; `apache` is the text of the Apache License 2.0, which some packages only name. */
export function noticesOf(modules: readonly string[], apache: string): string {
  const folders = new Set(modules.filter((id) => id.includes('/node_modules/')).map((id) => packageFolder(id)));
  const all = [...folders].map((folder) => termsOf(folder, apache)).toSorted((a, b) => (a.title < b.title ? -1 : 1));
  const sections = all.map(({ title, license, texts }) => [`${title}\nLicence: ${license}`, ...texts].join('\n\n'));
  return `Scopegate contains, in whole or in part, these packages.\n\n${sections.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}

/** Of a `package.json`, the fields that say what it is. */
export function readManifest(folder: string): {
  readonly name: string;
  readonly version: string;
  readonly license: string;
} {
  const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const fields = new Map(typeof manifest === 'object' && manifest !== null ? Object.entries(manifest) : []);
  const [name = '', version = '', license = ''] = ['name', 'version', 'license'].map((key) => String(fields.get(key)));
  return { name, version, license };
}

function packageFolder(id: string): string {
  const [, scope = '', name = ''] = /.*\/node_modules\/(@[^/]+\/)?([^/]+)/.exec(id) ?? [];
  return id.slice(0, id.lastIndexOf('/node_modules/') + '/node_modules/'.length) + scope + name;
}

function termsOf(folder: string, apache: string): Terms {
  const { name, version, license } = readManifest(folder);
  if (!license.split(/ AND | OR |[()]/).every((part) => part === '' || fine.has(part))) {
    throw new Error(`${folder}: licence ${license} is not one of ${[...fine].join(', ')}`);
  }
  const files = readdirSync(folder).filter((file) => /^(?:licen[cs]e|notice|copying)/i.test(file));
  const texts = files.toSorted().map((file) => readFileSync(join(folder, file), 'utf8').trim());
  if (texts.length === 0 && license.includes('Apache-2.0')) texts.push(apache.trim());
  if (texts.length === 0 && license === 'MIT') texts.push(`Copyright: the authors of ${name}`, mit);
  if (texts.length === 0) throw new Error(`${folder}: no text of its licence ${license}`);
  return { title: `${name} ${version}`, license, texts };
}
