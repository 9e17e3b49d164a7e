// Preloaded into processes whose clock is to be wrong: by so many ms as the file says when they start.
import { readFileSync } from 'node:fs';

const { now } = Date;
const offsetMs = Number(readFileSync(process.env['BENCH_CLOCK_FILE'], 'utf8'));
Date.now = () => now() + offsetMs;
