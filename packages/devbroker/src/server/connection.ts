import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Logger } from '@millrace/common';
import { FrameAssembler } from './frame-assembler.ts';
import type { RequestRouter } from './request-router.ts';

/** Kafka's default of socket.request.max.bytes. */
export const FRAME_BYTES_MAX = 100 * 1024 * 1024;

// Requests read ahead while one is served; the socket is paused above.
const FRAMES_AHEAD_MAX = 8;

/** One client connection: requests are served one after the other, as Kafka does, so answers come in order. */
export class Connection {
  private readonly socket: Socket;
  private readonly nodeId: number;
  private readonly router: RequestRouter;
  private readonly logger: Logger;
  private readonly assembler = new FrameAssembler(FRAME_BYTES_MAX);
  private readonly gone = new AbortController();
  private readonly host: string;
  private waiting: Buffer[] = [];
  private serving = false;

  constructor(options: {
    readonly socket: Socket;
    readonly nodeId: number;
    readonly router: RequestRouter;
    readonly logger: Logger;
  }) {
    this.socket = options.socket;
    this.nodeId = options.nodeId;
    this.router = options.router;
    this.logger = options.logger;
    this.host = this.socket.remoteAddress ?? '';
    this.socket.setNoDelay(true);
    this.socket.on('data', (chunk: Buffer) => this.received(chunk));
    this.socket.on('error', () => this.close());
    this.socket.on('close', () => this.close());
  }

  close(): void {
    this.waiting = [];
    this.gone.abort();
    this.socket.destroy();
  }

  private received(chunk: Buffer): void {
    const assembled = this.assembler.push(chunk);
    if (!assembled.ok) {
      this.refuse(`a frame of ${assembled.frameBytes} bytes`);
      return;
    }
    this.waiting.push(...assembled.frames);
    if (this.waiting.length > FRAMES_AHEAD_MAX) this.socket.pause();
    if (!this.serving) void this.serve();
  }

  private async serve(): Promise<void> {
    this.serving = true;
    for (let frame = this.waiting.shift(); frame !== undefined; frame = this.waiting.shift()) {
      const peer = { nodeId: this.nodeId, host: this.host, signal: this.gone.signal };
      const answer = await this.router.answer(frame, peer);
      if (this.gone.signal.aborted) break;
      if (answer.kind === 'close') this.refuse(answer.reason);
      if (answer.kind === 'cut') {
        await new Promise<void>((resolve) => this.socket.write(answer.bytes, () => resolve()));
        this.refuse('injected fault');
      }
      if (answer.kind === 'reply' && !this.socket.write(answer.frame)) await this.drained();
      if (this.socket.isPaused() && this.waiting.length <= FRAMES_AHEAD_MAX) this.socket.resume();
    }
    this.serving = false;
  }

  /** A slow reader stops being served until it has read on, so that answers do not pile up. */
  private async drained(): Promise<void> {
    try {
      await once(this.socket, 'drain', { signal: this.gone.signal });
    } catch {
      // The connection is gone; `serve` sees that.
    }
  }

  private refuse(reason: string): void {
    this.logger.debug({ reason, client: this.host, nodeId: this.nodeId }, 'closing a client connection');
    this.close();
  }
}
