// Preloaded into processes whose wall clock is wrong: WRONG_CLOCK_FILE says "<offset in ms> <rate>", and may change while they run.
import { readFileSync } from 'node:fs';

const { now } = Date;
const file = process.env.WRONG_CLOCK_FILE;
const began = now();
const look = () => {
  try {
    const [offsetMs, rate] = readFileSync(file, 'utf8').split(' ').map(Number);
    wrong = { offsetMs, rate };
  } catch {
    // It is being written: as before.
  }
};
let wrong = { offsetMs: 0, rate: 1 };
look();
setInterval(look, 50).unref();
Date.now = () => Math.round(began + (now() - began) * wrong.rate + wrong.offsetMs);
