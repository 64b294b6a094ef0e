/**
 * Promises: deploy/policy.schema.json is what the code says; `npm run schema` writes it, and a test compares the two.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { policyJsonSchema } from '../src/policy/json-schema.ts';

writeFileSync(join(import.meta.dirname, 'policy.schema.json'), `${JSON.stringify(policyJsonSchema(), undefined, 2)}\n`);
