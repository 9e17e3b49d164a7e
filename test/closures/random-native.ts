/** The programs themselves, not bundled: what they give by the standard. Prints the outcomes of those in argv[3…] of the directory argv[2]. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { outcomeOf, refuel } from './random-outcome.ts';

const [, , dir = '', ...indices] = process.argv;
const outcomes: string[] = [];
for (const index of indices) {
  const { build } = (await import(pathToFileURL(join(dir, `p${index}.mjs`)).href)) as {
    build: () => (...args: never[]) => unknown;
  };
  refuel();
  outcomes.push(outcomeOf(build()));
}
process.stdout.write(JSON.stringify(outcomes));
