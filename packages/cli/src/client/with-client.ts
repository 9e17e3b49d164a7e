import type { CliContext } from '../cli-context.ts';
import { readToken } from '../options/cluster-options.ts';
import { readTls, type TlsFlags } from '../options/tls-options.ts';
import type { ClusterClient } from './cluster-client.ts';

interface ConnectFlags extends TlsFlags {
  readonly driver: string;
  readonly token: string | undefined;
  readonly tokenFile: string | undefined;
  readonly timeout: number;
  /** No progress on standard error. */
  readonly quiet?: boolean | undefined;
}

/** Runs `work` with a connection to the driver that is closed afterwards. */
export async function withClient<T>(
  cli: CliContext,
  flags: ConnectFlags,
  work: (client: ClusterClient) => Promise<T>,
): Promise<T> {
  const token = readToken(flags, cli.cwd);
  const tls = readTls(flags, cli.cwd);
  // Loaded here: `--help` and wrong usage need no gRPC.
  const { ClusterClient: Client } = await import('./cluster-client.ts');
  const client = await Client.connect({
    address: flags.driver,
    token,
    tls,
    timeoutMs: flags.timeout,
    clock: cli.clock,
    onWaiting: (text) => {
      if (flags.quiet !== true) cli.terminal.err(`${text}\n`);
    },
  });
  try {
    return await work(client);
  } finally {
    client.close();
  }
}
