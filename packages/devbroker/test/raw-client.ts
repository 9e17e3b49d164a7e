import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { withDeadline } from '@millrace/common';
import { type ApiName, WireReader, WireWriter } from '@millrace/kafka';
import { apiTable } from '../src/api-table.ts';
import { FRAME_BYTES_MAX } from '../src/server/connection.ts';
import { FrameAssembler } from '../src/server/frame-assembler.ts';

const ANSWER_MS_MAX = 5000;

/** A client that speaks any version of any API through the broker's own schemas: one request at a time. */
export class RawClient {
  readonly socket: Socket;
  private readonly assembler = new FrameAssembler(FRAME_BYTES_MAX);
  private readonly frames: Buffer[] = [];
  private correlationId = 0;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      const assembled = this.assembler.push(chunk);
      if (assembled.ok) this.frames.push(...assembled.frames);
      socket.emit('frames');
    });
  }

  /** `broker` is host:port. */
  static async connect(broker: string): Promise<RawClient> {
    const [host = '', port = ''] = broker.split(':');
    const socket = connect({ host, port: Number(port) });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** The decoded response. Rejects when there is none in time or the connection closes. */
  async send<Response>(name: ApiName, version: number, request: unknown): Promise<Response> {
    this.post(name, version, request);
    return await this.answer<Response>(name, version);
  }

  /** Sends without waiting. */
  post(name: ApiName, version: number, request: unknown): void {
    const api = apiOf(name);
    const writer = new WireWriter();
    const flexible = version >= api.flexibleFrom;
    writer
      .int16(api.key)
      .int16(version)
      .int32(++this.correlationId)
      .nullableString('raw');
    if (flexible) writer.taggedFields();
    api.request.write(writer, request as never, { version, flexible });
    this.postFrame(writer.finish());
  }

  postFrame(body: Buffer): void {
    const length = Buffer.alloc(4);
    length.writeInt32BE(body.length, 0);
    this.socket.write(Buffer.concat([length, body]));
  }

  async answer<Response>(name: ApiName, version: number): Promise<Response> {
    const api = apiOf(name);
    const reader = new WireReader(await this.nextFrame());
    const flexible = version >= api.flexibleFrom;
    reader.int32();
    if (flexible && name !== 'ApiVersions') reader.taggedFields();
    const response = api.response.read(reader, { version, flexible });
    if (reader.remaining > 0) throw new Error(`${reader.remaining} bytes are left of ${name} v${version}`);
    return response as Response;
  }

  async nextFrame(): Promise<Buffer> {
    for (;;) {
      const frame = this.frames.shift();
      if (frame !== undefined) return frame;
      if (this.socket.destroyed) throw new Error('the connection was closed');
      const told = Promise.race([once(this.socket, 'frames'), once(this.socket, 'close')]);
      await withDeadline(told, ANSWER_MS_MAX, 'an answer of the broker');
    }
  }

  /** Resolves when the broker has closed the connection. */
  async closed(): Promise<void> {
    if (this.socket.destroyed) return;
    await withDeadline(once(this.socket, 'close'), ANSWER_MS_MAX, 'the end of the connection');
  }

  close(): void {
    this.socket.destroy();
  }
}

function apiOf(name: ApiName) {
  const api = apiTable().find((one) => one.name === name);
  if (api === undefined) throw new Error(`there is no API ${name}`);
  return api;
}
