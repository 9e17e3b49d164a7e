import { systemClock } from '@millrace/common';
import { EXIT } from './exit-codes.ts';
import { Interrupts } from './interrupts.ts';
import { runCli } from './run-cli.ts';
import { createTerminal } from './terminal.ts';

/** The `millrace` command as this process: its streams, signals and exit code wired to runCli. Never returns. */
export async function runCommandProcess(): Promise<never> {
  const interrupts = new Interrupts(systemClock, (code) => process.exit(code));
  process.on('SIGINT', () => interrupts.receive('SIGINT'));
  process.on('SIGTERM', () => interrupts.receive('SIGTERM'));
  // The terminal was closed.
  process.on('SIGHUP', () => interrupts.receive('SIGTERM'));
  if (process.channel) {
    // Started by another command (dev, demo): whatever ends that one ends this one.
    process.on('disconnect', () => interrupts.receive('SIGTERM'));
    process.channel.unref();
  }
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // `millrace list | head`: the reader has what it wanted.
      if (error.code === 'EPIPE') process.exit(EXIT.ok);
      // A terminal that is gone takes no more text; what ends in order still must.
      if (error.code !== 'EIO') throw error;
    });
  }

  const exitCode = await runCli(process.argv.slice(2), {
    terminal: createTerminal(process.stdout, process.stderr, process.env),
    input: () => process.stdin,
    env: process.env,
    cwd: process.cwd(),
    clock: systemClock,
    interrupts,
  });
  // What was written is out before the process ends; whatever a command left open must not keep it.
  await Promise.all(
    [process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write('', done))),
  );
  process.exit(exitCode);
}
