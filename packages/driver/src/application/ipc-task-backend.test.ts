import { describe, expect, it } from '@jest/globals';
import { systemClock } from '@millrace/common';
import type { HostToDriver } from '../host-protocol.ts';
import { IpcTaskBackend } from './ipc-task-backend.ts';

describe('the task backend of a host', () => {
  it('sends content again that was dropped before the driver had answered', async () => {
    const sent: HostToDriver[] = [];
    const backend = new IpcTaskBackend({
      send: (message) => sent.push(message),
      clock: systemClock,
      slots: 1,
    });
    const first = backend.putBlob('h', Uint8Array.of(1));
    const together = backend.putBlob('h', Uint8Array.of(1));
    backend.dropBlobs(['h']);
    const again = backend.putBlob('h', Uint8Array.of(1));
    expect(sent.map(({ kind }) => kind)).toEqual(['put-blob', 'drop-blobs', 'put-blob']);
    backend.blobStored('h', undefined);
    await Promise.all([first, together, again]);
  });

  it('has the driver drop what a batch shuffled', () => {
    const sent: HostToDriver[] = [];
    const backend = new IpcTaskBackend({
      send: (message) => sent.push(message),
      clock: systemClock,
      slots: 1,
    });
    const batch = { application: 'a', epoch: 1, batchTime: 100 };
    backend.dropShuffle(batch);
    expect(sent).toEqual([{ kind: 'drop-shuffle', what: batch }]);
  });
});
