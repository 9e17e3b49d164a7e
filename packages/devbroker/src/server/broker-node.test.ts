import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { silentLogger, withDeadline } from '@millrace/common';
import { BrokerNode } from './broker-node.ts';
import type { RequestRouter } from './request-router.ts';

async function listening(): Promise<BrokerNode> {
  return BrokerNode.listen({ id: 1, host: '127.0.0.1', port: 0, logger: silentLogger });
}

/** Answers each request with its own bytes. */
const ECHO = {
  answer: async (frame: Buffer) => ({ kind: 'reply', frame }),
} as unknown as RequestRouter;

describe('BrokerNode', () => {
  it('serves a client that came before it was ready', async () => {
    const node = await listening();
    const socket = connect({ host: '127.0.0.1', port: node.port });
    await once(socket, 'connect');
    socket.write(Buffer.from([0, 0, 0, 2, 7, 8]));
    node.serve(ECHO);
    const [bytes] = (await withDeadline(once(socket, 'data'), 5000, 'the answer')) as [Buffer];
    expect([...bytes]).toEqual([7, 8]);
    await node.close();
  });

  it('ends when it never served the clients that came', async () => {
    const node = await listening();
    const socket = connect({ host: '127.0.0.1', port: node.port });
    socket.on('error', () => {});
    await once(socket, 'connect');
    const gone = once(socket, 'close');
    await withDeadline(node.close(), 5000, 'the end of the node');
    await withDeadline(gone, 5000, 'the end of the connection');
  });
});
