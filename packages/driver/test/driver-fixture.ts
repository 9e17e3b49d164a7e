import { fileURLToPath } from 'node:url';
import { createLogger, silentLogger, systemClock } from '@millrace/common';
import {
  type ApplicationEvent,
  type ApplicationStatus,
  type ClientChannel,
  callUnary,
  clientChannel,
  contentHash,
  deadlineIn,
  hello,
  packBundle,
  type StopReply,
  type SubmitHeaderInit,
  type SubmitReply,
} from '@millrace/proto';
import { type Driver, startDriver } from '../src/driver.ts';
import type { DriverOptionsGiven } from '../src/driver-options.ts';
import { tempDirectory } from './temp-directory.ts';

export const FAKE_HOST = fileURLToPath(new URL('./fake-host.mjs', import.meta.url));

/** Waits until `condition` holds; fails after `ms`, naming what was waited for. */
export async function until(what: string, condition: () => unknown, ms = 10_000): Promise<void> {
  const end = systemClock.monotonic() + ms;
  for (;;) {
    if (await condition()) return;
    if (systemClock.monotonic() > end) throw new Error(`${what}: not within ${ms} ms`);
    await systemClock.sleep(10);
  }
}

export { tempDirectory as newStateDir } from './temp-directory.ts';

export async function startTestDriver(given: Partial<DriverOptionsGiven> = {}): Promise<Driver> {
  const stateDir = given.stateDir ?? (await tempDirectory());
  const logger =
    process.env['TEST_LOGS'] === undefined ? silentLogger : createLogger({ name: 'driver', level: 'debug' });
  return startDriver({ port: 0, spareHost: false, ...given, stateDir }, { logger, hostEntry: FAKE_HOST });
}

/** What a fake host does; see fake-host.mjs. */
export interface FakeJob {
  readonly name: string;
  readonly [option: string]: unknown;
}

export function bundleOf(job: FakeJob): Uint8Array {
  return packBundle([{ path: 'job.json', content: Buffer.from(JSON.stringify(job)) }]);
}

/** A client of the driver's Submission service. */
export class TestClient {
  readonly channel: ClientChannel;

  constructor(address: string, token?: string) {
    this.channel = clientChannel({ address, token });
  }

  submit(job: FakeJob | Uint8Array, header: SubmitHeaderInit = {}): Promise<SubmitReply> {
    const bundle = job instanceof Uint8Array ? job : bundleOf(job);
    return callUnary<SubmitReply>('submit', (done) => {
      const call = this.channel.submission.submit(deadlineIn(30_000), done);
      call.on('error', () => undefined);
      const programHash = contentHash(bundle);
      call.write({ header: { hello: hello(), programHash, bundleBytes: bundle.length, ...header } });
      for (let at = 0; at < bundle.length; at += 1_000_000)
        call.write({ bundle: bundle.subarray(at, at + 1_000_000) });
      call.end();
      return call;
    });
  }

  status(application: string): Promise<ApplicationStatus> {
    return callUnary('status', (done) => this.channel.submission.status({ application }, done));
  }

  async state(application: string): Promise<string> {
    return (await this.status(application)).state;
  }

  stop(application: string, mode: 'DRAIN' | 'NOW' | 'KILL' = 'DRAIN', timeoutMs = 0): Promise<StopReply> {
    return callUnary('stop', (done) =>
      this.channel.submission.stop({ application, mode, timeoutMs }, deadlineIn(30_000), done),
    );
  }

  /** All events until the stream ends or `enough` is true. */
  async events(
    application: string,
    afterSequence = 0,
    enough: (event: ApplicationEvent) => boolean = () => false,
  ): Promise<ApplicationEvent[]> {
    const call = this.channel.submission.events({ application, afterSequence }, deadlineIn(20_000));
    const events: ApplicationEvent[] = [];
    for await (const event of call as AsyncIterable<ApplicationEvent>) {
      events.push(event);
      if (enough(event)) break;
    }
    call.cancel();
    return events;
  }

  async logs(application: string, follow = false): Promise<string[]> {
    const call = this.channel.submission.logs({ application, follow, tail: 100 }, deadlineIn(20_000));
    const lines: string[] = [];
    for await (const { line } of call as AsyncIterable<{ line: string }>) lines.push(line);
    return lines;
  }
}
