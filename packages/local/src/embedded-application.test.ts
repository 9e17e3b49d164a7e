import { describe, expect, it } from '@jest/globals';
import { defineJob } from '@millrace/api';
import { embed } from './embedded-application.ts';

describe('an embedded application', () => {
  it('is started once, however often it is asked for', async () => {
    let built = 0;
    const job = defineJob({ name: 'nothing', batchInterval: '1s' }, () => {
      built += 1;
    });
    const application = await embed(job);
    const first = application.start();
    expect(application.start()).toBe(first);
    await expect(first).rejects.toMatchObject({ code: 'NO_OUTPUT_OPERATION' });
    expect(built).toBe(1);
    await expect(application.awaitTermination({ timeoutMs: 5_000 })).rejects.toMatchObject({
      code: 'NO_OUTPUT_OPERATION',
    });
    // It is over already.
    await application.stop();
  });

  it('refuses options that it does not know, all at once, with the nearest name', async () => {
    const job = defineJob({ name: 'nothing', batchInterval: '1s' }, () => undefined);
    const options = { statedir: './state', onevent: () => undefined, slots: 0 };
    await expect(embed(job, options)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      what: [
        'embed: unknown option "statedir"; did you mean "stateDir"?',
        'embed: unknown option "onevent"; did you mean "onEvent"?',
        'embed: slots: expected an integer above 0, got 0',
      ].join('\n'),
    });
  });
});
