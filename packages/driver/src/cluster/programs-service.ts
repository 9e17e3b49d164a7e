import { MillraceError } from '@millrace/common';
import { CHUNK_BYTES_MAX, failCall, type ProgramsHandlers, writeChunks } from '@millrace/proto';
import { decodeStateHeader, type StateSectionRef } from '@millrace/proto/task';
import type { CheckpointStore } from '../application/checkpoint/checkpoint-store.ts';

/** Content by hash, wherever the driver keeps it. */
export type ContentSource = (hash: string) => Promise<Uint8Array | undefined>;

/** At most so many bytes of a file of keyed state. @throws MillraceError STATE_CORRUPT, BAD_REQUEST. */
export type StateSource = CheckpointStore['readState'];

/** As many as a reader follows. */
const CHAIN_MAX = 10_000;

type SectionPlace = Pick<StateSectionRef, 'file' | 'offset' | 'bytes'>;

/** What the section stands on that begins with these bytes. One that is damaged is found out by its reader. */
function sectionBelow(begins: Uint8Array, file: string, until: string): SectionPlace | undefined {
  try {
    const { kind, previous } = decodeStateHeader(begins, file).meta;
    return kind === 'delta' && previous?.version !== until ? previous : undefined;
  } catch {
    return undefined;
  }
}

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
      const { application, chain, until, ...first } = call.request;
      const send = async (): Promise<void> => {
        let next: SectionPlace | undefined = first;
        for (let sections = 0; next !== undefined && sections < CHAIN_MAX; sections++) {
          const { file, offset, bytes }: SectionPlace = next;
          next = undefined;
          for (let at = 0; at < bytes; at += CHUNK_BYTES_MAX) {
            const wanted = Math.min(CHUNK_BYTES_MAX, bytes - at);
            const part = await stateOf(application, file, offset + at, wanted);
            if (at === 0 && chain) next = sectionBelow(part, file, until);
            await writeChunks(call, part, (data) => ({ data }));
          }
        }
        call.end();
      };
      send().catch((error: unknown) => failCall(call, error));
    },
  };
}
