import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Logger } from './logger.ts';

export interface OrphanReaper {
  readonly watch: (pid: number, alive: boolean) => void;
  /** Ends it; nobody is killed. */
  close(): void;
  /** Ends it, and whoever is left of the watched. */
  reap(): void;
}

// Reads "+pid" and "-pid" lines. The end of its input, without a farewell, is the end of the parent.
const SCRIPT = `
trap '' INT TERM HUP
pids=' '
while read -r line; do
  case "$line" in
    +*) pids="$pids\${line#+} " ;;
    -*) pid="\${line#-}"; pids="\${pids%% $pid *} \${pids#* $pid }" ;;
    bye) exit 0 ;;
  esac
done
[ "$pids" = ' ' ] || kill -9 $pids 2>/dev/null
`;

/**
 * Kills the children (slots, application hosts) of a process that died without a word (kill -9, out of memory). A child leaves by
 * itself when its channel closes, but not while its code is in a busy loop: without this, it would burn a core for ever. One small
 * shell, no polling.
 */
export function startOrphanReaper(log: Logger): OrphanReaper {
  const shell = spawn('/bin/sh', ['-c', SCRIPT], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: {},
    detached: true,
  });
  shell.on('error', (error) =>
    log.warn(
      { err: error },
      'no /bin/sh: children in a busy loop would outlive this process when it is killed',
    ),
  );
  shell.stdin.on('error', () => undefined);
  shell.unref();
  (shell.stdin as Socket).unref();
  const tell = (line: string): void => {
    if (shell.stdin.writable) shell.stdin.write(`${line}\n`);
  };
  return {
    watch: (pid, alive) => tell(`${alive ? '+' : '-'}${pid}`),
    close() {
      tell('bye');
      shell.stdin.end();
    },
    reap() {
      shell.stdin.end();
    },
  };
}
