import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type Logger, MillraceError } from '@millrace/common';
import { Connection } from './connection.ts';
import type { RequestRouter } from './request-router.ts';

/** One listening port of the cluster. */
export class BrokerNode {
  readonly id: number;
  private readonly server: Server;
  private readonly logger: Logger;
  private readonly connections = new Set<Connection>();
  /** Sockets of clients that came before `serve`: a port that was known before may have some at once. */
  private readonly early = new Set<Socket>();
  private readonly keepEarly = (socket: Socket): void => {
    socket.on('error', ignored);
    this.early.add(socket);
  };

  private constructor(id: number, server: Server, logger: Logger) {
    this.id = id;
    this.server = server;
    this.logger = logger;
    server.on('connection', this.keepEarly);
  }

  /** Listens; connections wait unread until `serve`. @throws MillraceError PORT_IN_USE. */
  static async listen(options: {
    readonly id: number;
    readonly host: string;
    readonly port: number;
    readonly logger: Logger;
  }): Promise<BrokerNode> {
    const server = createServer();
    const node = new BrokerNode(options.id, server, options.logger);
    try {
      server.listen({ host: options.host, port: options.port });
      await once(server, 'listening');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      throw new MillraceError('PORT_IN_USE', `port ${options.port} of ${options.host} is already taken`, {
        cause: error,
        remedy: 'Give another port, or 0 for a free one.',
      });
    }
    return node;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  serve(router: RequestRouter): void {
    const accept = (socket: Socket): void => {
      const connection = new Connection({ socket, nodeId: this.id, router, logger: this.logger });
      this.connections.add(connection);
      socket.once('close', () => this.connections.delete(connection));
    };
    this.server.off('connection', this.keepEarly);
    this.server.on('connection', accept);
    for (const socket of this.early) {
      socket.off('error', ignored);
      accept(socket);
    }
    this.early.clear();
  }

  closeConnections(): void {
    for (const connection of this.connections) connection.close();
    for (const socket of this.early) socket.destroy();
    this.early.clear();
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.closeConnections();
    await closed;
  }
}

/** 'close' follows. */
function ignored(): void {}
