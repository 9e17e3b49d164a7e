import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Logger } from '@millrace/common';

export interface OrphanReaper {
  readonly watch: (pid: number, alive: boolean) => void;
  close(): void;
}

// Reads "+pid" and "-pid" lines. The end of its input, without a farewell, is the end of the executor.
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
 * Kills the slots of an executor that died without a word (kill -9, out of memory). A slot leaves by itself when its channel
 * closes, but not while its code is in a busy loop: without this, it would burn a core for ever. One small shell, no polling.
 */
export function startOrphanReaper(log: Logger): OrphanReaper {
  const shell = spawn('/bin/sh', ['-c', SCRIPT], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: {},
    detached: true,
  });
  shell.on('error', (error) =>
    log.warn({ err: error }, 'no /bin/sh: slots in a busy loop would outlive a killed executor'),
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
  };
}
