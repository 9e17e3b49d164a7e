// Runs this repository on a machine that has nothing but Node and npm, from any directory:
//   node tools/run.mjs millrace <command> …     the command, as if it were installed
//   node tools/run.mjs program.ts …             a program that imports @millrace/…
//   node tools/run.mjs <script> …               a script of package.json
// What is needed is installed first, unless it is there. pnpm's version is pinned here; where this Node is too old to run
// TypeScript, Node itself comes from the registry, too. Nothing is installed globally: both live in npm's own npx cache.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const PNPM = '12.21.0';
const NODE = '24.21.0';
const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** What was installed, and where the tools are: while it fits, nothing is installed again. */
const STAMP = join(ROOT, 'node_modules/.millrace-install.json');
const INSTALL = '--install';
// Ctrl-C at a terminal reaches the whole process group: what runs decides when it is done, and this waits for it.
const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
const OUTPUT_MAX = 64 * 1024;

const [major, minor] = process.versions.node.split('.').map(Number);
const isOld = major < 22 || (major === 22 && minor < 22);

let child;
for (const signal of Object.keys(SIGNAL_CODES)) {
  process.on(signal, () => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child?.kill(signal);
  });
}

/** Runs a program to its end. Resolves with its exit code. */
function run(program, args, options) {
  child = spawn(program, args, { stdio: 'inherit', shell: process.platform === 'win32', ...options });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? SIGNAL_CODES[signal] ?? 1));
  });
}

/** Differs when other packages, or other tools, are to be installed. */
function wanted() {
  const manifests = readdirSync(join(ROOT, 'packages'))
    .map((name) => `packages/${name}/package.json`)
    .filter((path) => existsSync(join(ROOT, path)))
    .toSorted();
  const hash = createHash('sha256').update(
    `${PNPM} ${isOld ? NODE : ''} ${process.platform} ${process.arch}`,
  );
  for (const path of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', ...manifests])
    hash.update(readFileSync(join(ROOT, path)));
  return hash.digest('hex');
}

/** The directory of pnpm (and of Node, where it came along), if what is wanted is installed. */
function installedBin() {
  try {
    const { hash, bin } = JSON.parse(readFileSync(STAMP, 'utf8'));
    const isThere = existsSync(join(bin, 'pnpm')) && existsSync(join(ROOT, 'packages/cli/node_modules'));
    return hash === wanted() && isThere ? bin : undefined;
  } catch {
    return undefined;
  }
}

/** Runs this file with `--install` where npm has put the tools on the PATH. */
async function install() {
  if (isOld && process.platform !== 'linux')
    throw new Error(`Node ${process.version} is too old: install Node 24 (22.22 or newer will do).`);
  const tools = [`pnpm@${PNPM}`, ...(isOld ? [`node-linux-${process.arch}@${NODE}`] : [])];
  const node = isOld ? `Node ${NODE} (this one is ${process.version}), ` : '';
  console.error(
    `installing ${node}pnpm ${PNPM} and the packages of pnpm-lock.yaml: the first time this may take a minute …`,
  );
  const begun = performance.now();
  const argv = ['exec', '--yes', '--loglevel=error', ...tools.map((tool) => `--package=${tool}`), '--'];
  const self = fileURLToPath(import.meta.url);
  const ended = run('npm', [...argv, 'node', self, INSTALL, wanted()], {
    cwd: ROOT,
    stdio: ['inherit', 'pipe', 'pipe'],
    env: { ...process.env, npm_config_update_notifier: 'false' },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output = (output + text).slice(-OUTPUT_MAX);
    });
  }
  const code = await ended;
  if (code === 0) console.error(`installed in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  else console.error(`${output}\nerror: the packages could not be installed (npm ended with code ${code})`);
  return code;
}

/** With the tools on the PATH. `hash`: of what was wanted, by a Node that may be another one. */
async function installPackages(hash) {
  const bin = process.env.PATH.split(delimiter).find((directory) => existsSync(join(directory, 'pnpm')));
  const code = await run('pnpm', ['install', '--frozen-lockfile', '--reporter=append-only'], { cwd: ROOT });
  if (code === 0) writeFileSync(STAMP, JSON.stringify({ hash, bin }));
  return code;
}

/** In the directory where it was called; scripts of package.json in the repository's. */
async function start(bin, [what, ...args]) {
  const node = isOld ? join(bin, 'node') : process.execPath;
  const source = '--conditions=@millrace/source';
  const ownPackages = new URL('own-packages.mjs', import.meta.url).href;
  const command = join(ROOT, 'packages/cli/src/main.ts');
  const fromHere = relative(process.cwd(), fileURLToPath(import.meta.url));
  // No shell: these arguments are the user's, as they are.
  const called = { shell: false, env: { ...process.env, MILLRACE_COMMAND: `node ${fromHere} millrace` } };
  if (what === 'millrace') return run(node, [source, command, ...args], called);
  if (what === 'demo') return run(node, [source, command, what, ...args], called);
  if (/\.[cm]?[jt]s$/.test(what)) return run(node, [source, '--import', ownPackages, what, ...args], called);
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  return run(join(bin, 'pnpm'), ['--silent', 'run', what, ...args], { cwd: ROOT, env });
}

async function main([what, ...args]) {
  if (what === INSTALL) return installPackages(...args);
  if (what === undefined) {
    console.error(
      'usage: node tools/run.mjs millrace <command> … | program.ts … | <script of package.json> …',
    );
    return 2;
  }
  if (installedBin() === undefined) {
    const code = await install();
    if (code !== 0) return code;
  }
  return start(installedBin(), [what, ...args]);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
