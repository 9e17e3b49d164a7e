import { afterEach } from '@jest/globals';
import { type EmbeddedApplication, embed } from '@millrace/local';

/** Call it at the top of a test file: what embeds applications that do not outlive their test, even one that failed. */
export function useEmbed(): typeof embed {
  const started: EmbeddedApplication[] = [];
  afterEach(async () => {
    for (const application of started.splice(0))
      await application.stop({ graceful: false }).catch(() => undefined);
  });
  return async (...given) => {
    const application = await embed(...given);
    started.push(application);
    return application;
  };
}
