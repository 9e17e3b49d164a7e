import { createServer } from 'node:net';
import type {
  ClientDuplexStream,
  ServerDuplexStream,
  ServerWritableStream,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from '@jest/globals';
import { MillraceError } from '@millrace/common';
import { collectChunks, writeChunks } from './chunks.ts';
import { type ClientChannel, callUnary, clientChannel, deadlineIn } from './client-channel.ts';
import { contentHash } from './content-hash.ts';
import type {
  ApplicationStatus,
  ApplicationStatusInit,
  Chunk,
  GetRequest,
  StatusRequest,
} from './messages.ts';
import { PROGRAMS, SERVICES, SUBMISSION } from './services.ts';
import { grpcStatusToError } from './status.ts';
import { createWireServer, failCall, unaryHandler, type WireServer } from './wire-server.ts';

const open: Array<() => unknown> = [];
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

function serve(token?: string): WireServer {
  const server = createWireServer({ host: 'localhost', port: 0, token });
  open.push(() => server.close());
  return server;
}

function connect(port: number, token?: string): ClientChannel {
  const channel = clientChannel({ address: `localhost:${port}`, token });
  open.push(() => channel.close());
  return channel;
}

const statusHandlers = (
  handle: (request: StatusRequest) => Promise<ApplicationStatusInit>,
): UntypedServiceImplementation => ({
  Status: unaryHandler<StatusRequest, ApplicationStatusInit>(handle),
});
const status = (channel: ClientChannel, application = 'a'): Promise<ApplicationStatus> =>
  callUnary('status', (done) => channel.submission.status({ application }, done));

interface Method {
  readonly service: string;
  readonly name: string;
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}
const methods: Method[] = Object.entries(SERVICES).flatMap(([service, definition]) =>
  Object.entries(definition).map(([name, method]) => ({
    service,
    name,
    path: method.path,
    requestStream: method.requestStream,
    responseStream: method.responseStream,
  })),
);

const identity = (): Buffer => Buffer.alloc(0);

/** Calls any method with an empty message; resolves with the error it ends in, or undefined. */
function callAny(channel: ClientChannel, method: Method): Promise<MillraceError | undefined> {
  const { promise, resolve } = Promise.withResolvers<MillraceError | undefined>();
  const ended = (error: unknown): void => resolve(error ? grpcStatusToError(error, method.name) : undefined);
  const client = channel.submission;
  const options = deadlineIn(5_000);
  if (!method.responseStream) {
    if (method.requestStream)
      client.makeClientStreamRequest(method.path, identity, identity, options, ended).end();
    else client.makeUnaryRequest(method.path, identity, identity, {}, options, ended);
    return promise;
  }
  const call = method.requestStream
    ? client.makeBidiStreamRequest(method.path, identity, identity, options)
    : client.makeServerStreamRequest(method.path, identity, identity, {}, options);
  call
    .on('error', ended)
    .on('end', () => ended(undefined))
    .on('data', () => undefined);
  if (method.requestStream) (call as ClientDuplexStream<object, object>).end();
  return promise;
}

describe('every method of every service', () => {
  it('is known to this test', () => {
    expect(methods.map(({ service, name }) => `${service}.${name}`)).toEqual([
      'ExecutorLink.Attach',
      'ExecutorLink.Heartbeat',
      'Programs.Get',
      'Programs.GetState',
      'Blocks.Fetch',
      'Submission.Submit',
      'Submission.Rollback',
      'Submission.Status',
      'Submission.List',
      'Submission.Stop',
      'Submission.Events',
      'Submission.Logs',
      'Submission.Offsets',
      'Submission.OffsetLog',
    ]);
  });

  it('is reached with the token, and by nobody without it', async () => {
    const server = serve('s3cret');
    const reached: string[] = [];
    for (const [service, definition] of Object.entries(SERVICES)) {
      const handlers: UntypedServiceImplementation = {};
      for (const name of Object.keys(definition)) {
        handlers[name] = (
          call: ServerDuplexStream<object, object>,
          done?: (error: null, reply: object) => void,
        ) => {
          reached.push(`${service}.${name}`);
          if (done) done(null, {});
          else call.end();
        };
      }
      server.server.addService(definition, handlers);
    }
    const port = await server.listen();
    for (const token of [undefined, '', 'wrong', 's3cret ', 'S3CRET']) {
      const channel = connect(port, token);
      for (const method of methods)
        expect(await callAny(channel, method)).toMatchObject({ code: 'UNAUTHENTICATED' });
    }
    expect(reached).toEqual([]);
    const channel = connect(port, 's3cret');
    for (const method of methods) expect(await callAny(channel, method)).toBeUndefined();
    expect(reached).toEqual(methods.map(({ service, name }) => `${service}.${name}`));
  }, 30_000);
});

describe('calls', () => {
  it('bring the typed error of the server, with details and causes', async () => {
    const server = serve();
    const error = new MillraceError('APPLICATION_UNKNOWN', 'no application "ü"', {
      remedy: 'List them.',
      details: { application: 'ü', tries: 2 },
      cause: new MillraceError('INTERNAL', 'inner'),
    });
    server.server.addService(
      SUBMISSION,
      statusHandlers(() => Promise.reject(error)),
    );
    const channel = connect(await server.listen());
    const thrown = await status(channel).catch((e: unknown) => e);
    expect(MillraceError.toRecord(thrown)).toEqual(MillraceError.toRecord(error));
  });

  it('bring an error that is too large for a header shortened, never as something else', async () => {
    const server = serve();
    const details = Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`key${i}`, 'ü'.repeat(20)]));
    server.server.addService(
      SUBMISSION,
      statusHandlers(() =>
        Promise.reject(new MillraceError('JOB_INVALID', 'ü😀\n'.repeat(20_000), { details })),
      ),
    );
    const thrown = await status(connect(await server.listen())).catch((e: unknown) => e);
    expect(thrown).toMatchObject({ code: 'JOB_INVALID', what: expect.stringContaining('ü😀\n') });
  });

  it('get a deadline when they set none', async () => {
    const server = serve();
    const { promise, resolve } = Promise.withResolvers<number>();
    server.server.addService(SUBMISSION, {
      Status: unaryHandler<StatusRequest, ApplicationStatusInit>((_request, call) => {
        resolve(Number(call.getDeadline()) - Date.now());
        return {};
      }),
    });
    await status(connect(await server.listen()));
    expect(await promise).toBeGreaterThan(5_000);
    expect(await promise).toBeLessThanOrEqual(10_500);
  });

  it('say who could not be reached', async () => {
    const free = createServer().listen(0);
    const { port } = free.address() as { port: number };
    await new Promise((resolve) => free.close(resolve));
    const channel = connect(port);
    await expect(status(channel)).rejects.toMatchObject({
      code: 'DRIVER_UNREACHABLE',
      remedy: expect.stringContaining('address'),
    });
    await expect(channel.ready(200)).rejects.toMatchObject({ code: 'DRIVER_UNREACHABLE' });
  });

  it('end in DEADLINE_EXCEEDED when the server does not answer', async () => {
    const server = serve();
    server.server.addService(
      SUBMISSION,
      statusHandlers(() => new Promise(() => undefined)),
    );
    const channel = connect(await server.listen());
    const late = callUnary('status', (done) => channel.submission.status({}, deadlineIn(100), done));
    await expect(late).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it('refuse a port that is taken', async () => {
    const port = await serve().listen();
    const second = createWireServer({ host: 'localhost', port });
    open.push(() => second.close());
    await expect(second.listen()).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      what: `cannot listen on localhost:${port}: the port is already taken`,
      details: { port },
    });
  });

  it('refuse an address that is not of this machine, and say so', async () => {
    // 192.0.2.0/24 is for documentation: nobody has it (RFC 5737).
    const server = createWireServer({ host: '192.0.2.1', port: 0, token: 's' });
    open.push(() => server.close());
    await expect(server.listen()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      remedy: expect.stringContaining('an address of this machine'),
    });
  });
});

describe('chunks', () => {
  const bytes = Buffer.alloc(5_500_000, 'chunk');

  async function fetch(channel: ClientChannel, sha256: string, bytesMax = bytes.length): Promise<Buffer> {
    const call = channel.programs.get({ hash: sha256 });
    async function* data(): AsyncGenerator<Uint8Array> {
      for await (const chunk of call as AsyncIterable<Chunk>) yield chunk.data;
    }
    return collectChunks(data(), { bytesMax, sha256, what: 'the program' });
  }

  async function programServer(sizes: number[] = []): Promise<ClientChannel> {
    const server = serve();
    const toChunk = (data: Uint8Array): Chunk => {
      sizes.push(data.length);
      return { data: Buffer.from(data) };
    };
    server.server.addService(PROGRAMS, {
      Get: (call: ServerWritableStream<GetRequest, Chunk>) => {
        writeChunks(call, bytes, toChunk).then(
          () => call.end(),
          (error: unknown) => failCall(call, error),
        );
      },
    });
    return connect(await server.listen());
  }

  it('carry content of any size in pieces of at most 1 MiB', async () => {
    const sizes: number[] = [];
    const channel = await programServer(sizes);
    expect((await fetch(channel, contentHash(bytes))).equals(bytes)).toBe(true);
    expect(Math.max(...sizes)).toBe(1024 * 1024);
    expect(sizes).toHaveLength(6);
  });

  it('refuse content of another hash, and more than was allowed', async () => {
    const channel = await programServer();
    await expect(fetch(channel, contentHash(Buffer.from('other')))).rejects.toMatchObject({
      code: 'BAD_REQUEST',
    });
    await expect(fetch(channel, contentHash(bytes), 1_000_000)).rejects.toMatchObject({
      code: 'MESSAGE_TOO_LARGE',
    });
  });

  it('stop being written when the reader goes away', async () => {
    const server = serve();
    const { promise, resolve } = Promise.withResolvers<unknown>();
    server.server.addService(PROGRAMS, {
      Get: (call: ServerWritableStream<GetRequest, Chunk>) => {
        const endless = Buffer.alloc(64 * 1024 * 1024);
        writeChunks(call, endless, (data) => ({ data: Buffer.from(data) })).then(resolve, resolve);
      },
    });
    const channel = connect(await server.listen());
    const call = channel.programs.get({ hash: 'x' });
    call.on('error', () => undefined);
    await new Promise((started) => call.once('data', started));
    call.pause();
    call.cancel();
    expect(await promise).toMatchObject({ code: 'CANCELLED' });
  }, 20_000);
});
