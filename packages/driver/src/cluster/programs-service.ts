import { MillraceError } from '@millrace/common';
import { failCall, type ProgramsHandlers, writeChunks } from '@millrace/proto';

/** Content by hash, wherever the driver keeps it. */
export type ContentSource = (hash: string) => Promise<Uint8Array | undefined>;

/** Programs.Get: streams a program or a blob in chunks, no faster than the executor reads. */
export function programsHandlers(contentOf: ContentSource): ProgramsHandlers {
  return {
    Get(call) {
      const { hash } = call.request;
      const send = async (): Promise<void> => {
        const content = await contentOf(hash);
        if (!content) {
          throw new MillraceError('PROGRAM_MISSING', `the driver holds no content ${JSON.stringify(hash)}`, {
            remedy: 'Submit the job again.',
          });
        }
        await writeChunks(call, content, (data) => ({ data }));
        call.end();
      };
      send().catch((error: unknown) => failCall(call, error));
    },
  };
}
