// Runs `pnpm install`, then `pnpm run <script> [args]`, on a machine that has nothing but Node and npm.
// pnpm's version is pinned here; where this Node is too old to run TypeScript, Node itself comes from the
// registry too. Nothing is installed globally: both live in npm's own npx cache.
import { spawn } from 'node:child_process';

const PNPM = '12.21.0';
const NODE = '24.21.0';
const [major, minor] = process.versions.node.split('.').map(Number);
const tooOld = major < 22 || (major === 22 && minor < 22);
const packages = [`pnpm@${PNPM}`];
if (tooOld) {
  if (process.platform !== 'linux') {
    console.error(`Node ${process.version} is too old: install Node 24 (24.18 or newer).`);
    process.exit(1);
  }
  packages.push(`node-linux-${process.arch}@${NODE}`);
}

// Ctrl-C reaches the whole process group: what runs decides when it is done, and this waits for it.
const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
let child;
for (const signal of Object.keys(SIGNAL_CODES)) {
  process.on(signal, () => {
    if (signal !== 'SIGINT') child?.kill(signal);
  });
}

async function pnpm(...args) {
  const argv = [
    'exec',
    '--yes',
    '--loglevel=error',
    ...packages.map((p) => `--package=${p}`),
    '--',
    'pnpm',
    ...args,
  ];
  child = spawn('npm', argv, {
    stdio: 'inherit',
    shell: process.platform === 'win32',
    env: { ...process.env, npm_config_update_notifier: 'false' },
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? SIGNAL_CODES[signal] ?? 1));
  });
}

const [script, ...args] = process.argv.slice(2);
const installed = await pnpm('install', '--frozen-lockfile', '--reporter=silent');
process.exitCode = installed || (await pnpm('--silent', 'run', script, ...args));
