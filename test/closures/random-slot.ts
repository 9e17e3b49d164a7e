/** The executor's side: revives what random-host.ts captured, in a process that never saw the modules, and runs it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { millraceResolveHook, openProgram } from '@millrace/closures';
import { type CapturedProgram, outcomeOf, refuel } from './random-outcome.ts';

const dir = process.argv[2] ?? '';
millraceResolveHook();
const program = await openProgram(dir);
const captured = JSON.parse(readFileSync(join(dir, 'captured.json'), 'utf8')) as CapturedProgram[];
const there: (string | null)[] = [];
for (const each of captured) {
  if (!('bytes' in each)) {
    there.push(null);
    continue;
  }
  refuel();
  try {
    const context = {
      broadcast: () => ({ value: undefined }),
      accumulator: () => ({ add: () => undefined }),
    };
    there.push(outcomeOf(await program.revive(Buffer.from(each.bytes, 'base64'), context)));
  } catch (error) {
    there.push(`not revived: ${(error as Error).stack}`);
  }
}
writeFileSync(join(dir, 'there.json'), JSON.stringify(there));
