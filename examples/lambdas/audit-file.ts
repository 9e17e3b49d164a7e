'use executor';
// Loaded once by each process that uses it: by slots of executors when a shipped lambda does.
import { createWriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const file = createWriteStream(join(tmpdir(), `audit-${process.pid}.log`), { flags: 'a' });

export function audit(line: string): void {
  file.write(`${line}\n`);
}
