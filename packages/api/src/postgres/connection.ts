import { MillraceError, messageOf, systemClock } from '@millrace/common';
import type { PooledSqlClient, SqlPool } from './sql-client.ts';

/** Pools whose errors somebody hears: a pool tells of each idle connection that breaks, and ends the process when nobody listens. */
const heard = new WeakSet<object>();
const ignore = (): void => undefined;

/** How long an attempt waits for a server that is away: it may be starting again. */
const AWAY_MS_MAX = 15_000;
const RETRY_MS = 200;

/** A server that is a replica, or was set to be read only. */
const READ_ONLY = '25006';

/**
 * Lends a connection. What `work` has begun and not committed is rolled back when it throws.
 * @throws MillraceError OUTPUT_WRITE_FAILED when there is no connection; what `work` throws.
 */
export async function withConnection<T>(
  pool: SqlPool,
  work: (client: PooledSqlClient) => Promise<T>,
): Promise<T> {
  if (!heard.has(pool)) pool.on?.('error', ignore);
  heard.add(pool);
  const client = await ofOutput(pool.connect());
  // A connection that breaks between two queries is noticed by the next one.
  client.on?.('error', ignore);
  let isBroken = true;
  try {
    const result = await work(client);
    isBroken = false;
    return result;
  } catch (error) {
    isBroken = await client.query('ROLLBACK').then(
      () => false,
      () => true,
    );
    throw error;
  } finally {
    client.off?.('error', ignore);
    client.release(isBroken);
  }
}

/**
 * Does `work` again while the server is away, for a while: attempts of a task follow each other at once, and would all be used up before it has started again.
 * `mayRepeat`: nothing has been done that cannot be done again.
 */
export async function whenThere(
  work: () => Promise<void>,
  { signal, mayRepeat }: { readonly signal: AbortSignal; readonly mayRepeat: () => boolean },
): Promise<void> {
  const deadline = systemClock.monotonic() + AWAY_MS_MAX;
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      const cause = MillraceError.is(error, 'OUTPUT_WRITE_FAILED') ? error.cause : error;
      if (!mayRepeat() || !isAway(cause) || systemClock.monotonic() >= deadline) throw error;
      await systemClock.sleep(RETRY_MS, signal);
    }
  }
}

/** The network, or SQLSTATEs of connections and of a server that starts, stops or is full; or what a client says by itself, without a code. */
export function isAway(error: unknown): boolean {
  if (MillraceError.is(error)) return false;
  const code = sqlState(error);
  if (typeof code === 'string')
    return /^(ECONN|EPIPE$|ETIMEDOUT|EHOSTUN|ENETUN|ENOTFOUND|EAI_AGAIN|08|57P0[1-3]|53300)/.test(code);
  return /connection|timeout/i.test(messageOf(error));
}

/** Our own queries fail for reasons outside of the job: another attempt may succeed. */
export async function ofOutput<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw MillraceError.from(error, 'OUTPUT_WRITE_FAILED', {
      remedy:
        sqlState(error) === READ_ONLY
          ? 'Give the pool a server that takes writes: this one is a replica, or was made read only.'
          : 'See that PostgreSQL runs, that executors reach it, and that its user may use the progress table.',
      details: { reason: messageOf(error) },
    });
  }
}

/** Of what PostgreSQL answers. */
export function sqlState(error: unknown): unknown {
  return Reflect.get(Object(error), 'code');
}
