import { type Clock, MillraceError } from '@millrace/common';
import { shortDuration } from '../render/quantity.ts';
import { type Listener, type ProbedAddress, probeAddress } from './address-probe.ts';

// A driver that was started at the same moment is up by then; where there is none any longer, there will be none.
const STARTING_MS_MAX = 5_000;
const SILENT_MS_MAX = 1_000;

export interface ContactOptions extends ProbedAddress {
  readonly clock: Clock;
  /** How long it may take; less where there is no driver. */
  readonly timeoutMs: number;
  /** One attempt: resolves when there is a connection, rejects within `ms`. */
  readonly attempt: (ms: number) => Promise<void>;
  /** Called once, when it takes longer than a second. */
  readonly onWaiting?: ((text: string) => void) | undefined;
}

/**
 * Reaches a driver for the first time. A refused connection, an unknown name or a stranger is tried for 5 s only, and TLS that does not fit once.
 * @throws MillraceError DRIVER_UNREACHABLE that says what was met there.
 */
export async function contactDriver(options: ContactOptions): Promise<void> {
  const { address, clock, timeoutMs } = options;
  const begun = clock.monotonic();
  const elapsed = (): number => clock.monotonic() - begun;
  // The first attempt is short: after it something is said.
  let patienceMs = Math.min(SILENT_MS_MAX, timeoutMs);
  for (let isSilent = true; ; isSilent = false) {
    try {
      return await options.attempt(patienceMs);
    } catch (error) {
      if (!MillraceError.is(error, 'DRIVER_UNREACHABLE')) throw error;
    }
    const met = await probeAddress(options, clock);
    patienceMs = Math.min(timeoutMs, patienceWith(met, options.tls !== undefined)) - elapsed();
    if (patienceMs <= 0) throw driverUnreachable(options, elapsed(), met);
    const why = met.kind === 'nobody' ? ': nothing listens there yet' : '';
    if (isSilent) options.onWaiting?.(`waiting for the driver at ${address}${why}`);
  }
}

/** How long what was met may still become a driver. */
function patienceWith(met: Listener, withTls: boolean): number {
  switch (met.kind) {
    case 'nobody':
    case 'unknown-host':
    case 'stranger':
      return STARTING_MS_MAX;
    case 'clear':
      return withTls ? 0 : Number.POSITIVE_INFINITY;
    case 'tls':
      return withTls && met.refusal === '' ? Number.POSITIVE_INFINITY : 0;
    case 'silence':
      return Number.POSITIVE_INFINITY;
  }
}

const START_ONE = 'start one with `millrace dev` (everything on this machine) or `millrace driver`';

/** What to say of a driver that was not reached. */
export function driverUnreachable({ address, tls }: ProbedAddress, ms: number, met: Listener): MillraceError {
  const { says, remedy } = meaningOf(met, tls !== undefined);
  const what = `no answer from ${address} within ${shortDuration(ms)}${says}`;
  return new MillraceError('DRIVER_UNREACHABLE', what, { remedy, details: { address } });
}

function meaningOf(met: Listener, withTls: boolean): { readonly says: string; readonly remedy: string } {
  switch (met.kind) {
    case 'nobody':
      return {
        says: ': nothing listens there',
        remedy: `Give the driver's address with --driver, or ${START_ONE}.`,
      };
    case 'unknown-host':
      return {
        says: ': the name does not resolve (DNS)',
        remedy: 'Check the host name in --driver or MILLRACE_DRIVER.',
      };
    case 'stranger':
      return {
        says: ': something listens there, but it is not a driver',
        remedy:
          'Check the port in --driver or MILLRACE_DRIVER; a driver listens on 7077 unless it is told otherwise.',
      };
    case 'clear':
      if (withTls)
        return {
          says: ': it speaks no TLS, and this side does',
          remedy:
            'Leave --tls-ca, --tls-cert and --tls-key out (and their variables), or give them to the driver, too.',
        };
      break;
    case 'tls':
      if (!withTls)
        return {
          says: ': it expects TLS',
          remedy:
            'Give --tls-ca with the authority of its certificate; with mutual TLS also --tls-cert and --tls-key.',
        };
      if (met.refusal !== '')
        return {
          says: `: TLS does not get through: ${met.refusal}`,
          remedy:
            "Check that --tls-ca certified the driver's certificate, that it is for the name in --driver, and, with mutual TLS, --tls-cert and --tls-key.",
        };
      break;
    case 'silence':
      break;
  }
  return { says: '', remedy: 'Check that it runs, that the address is right, and the network between.' };
}
