// Preloaded into processes whose wall clock is wrong: WRONG_CLOCK_FILE says "<offset in ms> <rate>", and may change while they run.
// Each tells in a file of its own, "<WRONG_CLOCK_FILE>.<pid>", which one it has, and what time it is by that.
import { readFileSync, writeFileSync } from 'node:fs';

const { now } = Date;
const file = process.env.WRONG_CLOCK_FILE;
const began = now();
let wrong = { offsetMs: 0, rate: 1 };
let known = '';
Date.now = () => Math.round(began + (now() - began) * wrong.rate + wrong.offsetMs);

const look = () => {
  try {
    const text = String(readFileSync(file));
    if (text === known) return;
    const [offsetMs, rate] = text.split(' ').map(Number);
    wrong = { offsetMs, rate };
    writeFileSync(`${file}.${process.pid}`, `${text} ${Date.now()}`);
    known = text;
  } catch {
    // It is being written: as before.
  }
};
look();
setInterval(look, 50).unref();
