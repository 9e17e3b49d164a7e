// Writes the parts of docs/ that are data: `pnpm docs:generate`. A test fails when they are not up to date.
import { writeFileSync } from 'node:fs';
import { referencePages } from './reference-pages.ts';

for (const { path, text } of referencePages()) writeFileSync(new URL(`../${path}`, import.meta.url), text);
