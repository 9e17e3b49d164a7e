import { MillraceError } from '@millrace/common';
import { CHUNK_BYTES_MAX, failCall, type ProgramsHandlers, writeChunks } from '@millrace/proto';
import type { CheckpointStore } from '../application/checkpoint/checkpoint-store.ts';

/** Content by hash, wherever the driver keeps it. */
export type ContentSource = (hash: string) => Promise<Uint8Array | undefined>;

/** At most so many bytes of a file of keyed state. @throws MillraceError STATE_CORRUPT, BAD_REQUEST. */
export type StateSource = CheckpointStore['readState'];

/** Programs.Get: streams a program or a blob in chunks, no faster than the executor reads. */
export function programsHandlers(contentOf: ContentSource, stateOf: StateSource): ProgramsHandlers {
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
    GetState(call) {
      const { application, file, offset, bytes } = call.request;
      const send = async (): Promise<void> => {
        for (let at = 0; at < bytes; at += CHUNK_BYTES_MAX) {
          const wanted = Math.min(CHUNK_BYTES_MAX, bytes - at);
          const part = await stateOf(application, file, offset + at, wanted);
          await writeChunks(call, part, (data) => ({ data }));
        }
        call.end();
      };
      send().catch((error: unknown) => failCall(call, error));
    },
  };
}
