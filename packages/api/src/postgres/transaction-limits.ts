/** How long a transaction of an output may last, and wait. */
export interface TransactionLimits {
  /** ms: PostgreSQL ends a transaction in which nothing was asked for so long. */
  readonly idleTimeoutMs: number;
  /** ms: the task is ended then; 0: it never is. */
  readonly taskTimeoutMs: number;
}

/** Of a task's time, it may wait so much for a lock: the rest is for saying who has it. */
const WAIT_SHARE = 0.8;

/** ms: a client whose machine is gone is noticed after about half a minute, also while it waits for a lock, or a statement of it runs. */
const GONE_MS = 30_000;
const GONE_CHECK_MS = 2_000;

/** ms: PostgreSQL's time-outs are 32 bits wide, about 25 days. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

function taskTimeout({ taskTimeoutMs }: TransactionLimits): number {
  return Math.min(Math.ceil(taskTimeoutMs), TIMEOUT_MS_MAX);
}

/** ms; 0: for ever. */
export function lockTimeout(limits: TransactionLimits): number {
  return Math.floor(taskTimeout(limits) * WAIT_SHARE);
}

/**
 * Begins a transaction that does not outlive its task, whatever becomes of that: who stops between two statements, in the middle of one, or is
 * gone with its machine. `name`: shown in pg_stat_activity.
 */
export function beginTransaction(name: string, limits: TransactionLimits): string {
  const taskMs = taskTimeout(limits);
  return [
    'BEGIN ISOLATION LEVEL READ COMMITTED',
    `SET LOCAL lock_timeout = ${lockTimeout(limits)}`,
    `SET LOCAL idle_in_transaction_session_timeout = ${limits.idleTimeoutMs}`,
    `SET LOCAL application_name = '${name}'`,
    // A shorter one of the job's own stays.
    `DO $$ BEGIN IF current_setting('statement_timeout') = '0' THEN SET LOCAL statement_timeout = ${taskMs}; END IF; END $$`,
    // The batch is in the log for ever: a server that dies must not have lost it. Whoever waits for more keeps that.
    "DO $$ BEGIN IF current_setting('synchronous_commit') <> 'remote_apply' THEN SET LOCAL synchronous_commit = on; END IF; END $$",
    setWherePossible('LOCAL', {
      transaction_timeout: taskMs,
      client_connection_check_interval: GONE_CHECK_MS,
      tcp_user_timeout: GONE_MS,
      tcp_keepalives_idle: GONE_MS / 3_000,
      tcp_keepalives_interval: GONE_MS / 6_000,
      tcp_keepalives_count: 4,
    }),
  ].join('; ');
}

/**
 * A statement that makes settings, and goes on without those that the server does not know (transaction_timeout before 17,
 * client_connection_check_interval before 14), or has no support for (that one on Windows).
 */
export function setWherePossible(
  scope: 'LOCAL' | 'SESSION',
  settings: Readonly<Record<string, number>>,
): string {
  const each = Object.entries(settings).map(
    ([name, value]) => `BEGIN SET ${scope} ${name} = ${value}; EXCEPTION WHEN OTHERS THEN NULL; END;`,
  );
  return `DO $$ BEGIN ${each.join(' ')} END $$`;
}
