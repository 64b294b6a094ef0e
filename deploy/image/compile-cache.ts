/**
 * Promises: `node compile-cache.ts PROGRAM CACHE` leaves in CACHE what V8 compiles of the files in PROGRAM, for everybody to read and
 * nobody to write. Runs in the image that the program will run in, so it needs nothing but Node.
 */
import { chmodSync, readdirSync } from 'node:fs';
import { constants, enableCompileCache, flushCompileCache } from 'node:module';
import { join, resolve } from 'node:path';
import process from 'node:process';

const [program = '.', cache = 'compile-cache'] = process.argv.slice(2).map((path) => resolve(path));

const { status, message } = enableCompileCache(cache);
if (status !== constants.compileCacheStatus.ENABLED) throw new Error(`no compile cache in ${cache}: ${message}`);

// The entry would run; it is a page long. Importing the others starts nothing.
const files = readdirSync(program).filter((file) => file.endsWith('.js') && file !== 'main.js');
for (const file of files) await import(join(program, file));
flushCompileCache();

// Node writes for its own user only, and the files will belong to root.
const entries = readdirSync(cache, { recursive: true, withFileTypes: true });
for (const entry of entries) chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o555 : 0o444);
const written = entries.filter((entry) => entry.isFile()).length;
// This script is compiled too, before the cache is enabled.
if (written < files.length) throw new Error(`${written} of ${files.length} files were compiled`);
