// Runs one child for a test run and never lets it outlive it: when this process's stdin ends, which happens however the
// parent died, the child is killed. Usage: node process-guard.mjs <options as JSON> <command> [args]; see GuardedOptions.
// Protocol: the first line of stdout is the child's pid. "stop\n" on stdin asks the child to end in good order.
import { spawn } from 'node:child_process';
import { openSync, rmSync } from 'node:fs';

const [options, command, ...args] = process.argv.slice(2);
const { logFile, directory, user, stopSignal = 'SIGTERM' } = JSON.parse(options);
const GRACE_MS = 10_000;

const log = openSync(logFile, 'a');
const child = spawn(command, args, { stdio: ['ignore', log, log], ...user });
let asked = false;
let orphaned = false;

child.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(127);
});
child.on('spawn', () => process.stdout.write(`${child.pid}\n`));
child.on('exit', (code) => {
  // Nobody is left who could restart on these data.
  if (orphaned) rmSync(directory, { recursive: true, force: true });
  process.exit(code ?? 1);
});

process.stdin.on('data', (data) => {
  if (asked || !String(data).includes('stop')) return;
  asked = true;
  child.kill(stopSignal);
  setTimeout(() => child.kill('SIGKILL'), GRACE_MS).unref();
});
process.stdin.on('error', () => {});
process.stdin.on('close', () => {
  if (!asked) abandon();
});
// Ctrl-C reaches the whole process group, and the parent decides what ends when. The others mean that the group is to end.
process.on('SIGINT', () => {});
process.on('SIGTERM', abandon);
process.on('SIGHUP', abandon);

function abandon() {
  orphaned = true;
  child.kill('SIGKILL');
}
