// An application host without an engine: it does what its program's job.json says.
import { mkdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as later } from 'node:timers';

const send = (message) => process.send(message);
const error = (code, what) => ({
  code,
  what,
  remedy: '',
  retryable: code === 'KAFKA_UNREACHABLE',
  details: {},
  stack: '',
});
let job;
let epoch = 0;
let start;
let batch = 0;

process.on('disconnect', () => process.exit(0));
process.on('message', (message) => {
  if (message.kind === 'ping') send({ kind: 'pong', sequence: message.sequence });
  else if (message.kind === 'start') evaluate(message);
  else if (message.kind === 'name-granted') begin(message.knownEpoch);
  else if (message.kind === 'task-events') for (const event of message.events) taskEvent(event);
  else if (message.kind === 'blob-stored')
    send({
      kind: 'event',
      event: {
        kind: 'output',
        text: `blob ${message.hash} ${message.error?.code ?? 'stored'}`,
        error: false,
      },
    });
  else if (message.kind === 'stop') stop(message.mode);
});
send({ kind: 'ready' });

function evaluate(message) {
  start = message;
  job = JSON.parse(readFileSync(join(message.programDir, 'job.json'), 'utf8'));
  job = { ...job, ...message.config };
  if (job.does === 'refuse') {
    if (job.prints) process.stdout.write(`${job.prints}\n`);
    send({ kind: 'refused', error: error(job.code ?? 'JOB_INVALID', 'the job is refused') });
    return later(() => process.exit(1), 10);
  }
  if (job.does === 'exit-in-module') {
    process.stderr.write('why it ended\n');
    return process.exit(7);
  }
  if (job.does === 'loop-in-module') for (;;);
  if (job.checks) {
    process.stdout.write('evaluated\n');
    writeSync(Number(process.argv[2]), `${job.checks}\n`);
    send({ kind: 'event', event: { kind: 'notice', level: 'warn', text: job.checks } });
  }
  send({
    kind: 'validated',
    application: message.application ?? job.name,
    batchIntervalMs: 100,
    notes: ['a note'],
  });
}

function begin(knownEpoch) {
  if (job.does === 'exit-when-granted') return process.exit(9);
  writeSync(Number(process.argv[2]), `knows epoch ${knownEpoch}${start.anew ? ', begins anew' : ''}\n`);
  if (job.does === 'hang-when-granted') return;
  const directory = join(start.applicationsDir, job.name);
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'epoch');
  try {
    epoch = Number(readFileSync(file, 'utf8'));
  } catch {}
  writeFileSync(file, String(++epoch));
  const none = { batches: 0, records: 0, undecodable: 0, deleted: 0, deadLetters: 0 };
  send({
    kind: 'started',
    application: start.application ?? job.name,
    epoch,
    sums: job.sums?.[epoch] ?? none,
  });
  send({ kind: 'event', event: { kind: 'running', notes: [] } });
  if (job.prints) process.stdout.write(`${job.prints}\n`);
  if (job.batches) process.stdout.write(`${job.batches} batches\n`);
  if (job.does === 'print-environment')
    process.stdout.write(
      `${JSON.stringify({ ...start.environment, token: process.env.MILLRACE_TOKEN ?? 'none' })}\n`,
    );
  if (job.does === 'crash' && (job.times === undefined || epoch <= job.times)) return process.exit(3);
  if (job.does === 'hang' && epoch === 1) for (;;);
  if (job.does === 'fail') {
    send({ kind: 'event', event: { kind: 'ended', error: error('APPLICATION_FAILED', 'batch 5 failed') } });
    return later(() => process.exit(1), 10);
  }
  if (start.onlyPending) {
    // As if the batch were committed.
    rmSync(join(directory, 'log'), { recursive: true });
    process.stdout.write(`${job.prints} finishes\n`);
    send({ kind: 'event', event: { kind: 'ended' } });
    return later(() => process.exit(0), 10);
  }
  if (job.blob) send({ kind: 'put-blob', hash: job.blob, content: Buffer.from('content of a broadcast') });
  if (job.dropsShuffle)
    for (const application of ['another', start.application ?? job.name])
      send({ kind: 'drop-shuffle', what: { application, epoch, batchTime: 100 } });
  if (job.tasks) runBatch();
}

let remaining = 0;
function runBatch() {
  batch++;
  remaining = job.tasks;
  const tasks = Array.from({ length: job.tasks }, (_, partition) => ({
    partition,
    preference: { kind: 'consistent', key: `t-${partition}`, affinity: `t-${partition}` },
    task: Buffer.from(`task ${partition}`),
    describes: `t-${partition} [0, 1)`,
  }));
  send({
    kind: 'submit',
    set: {
      key: {
        application: start.application ?? job.name,
        epoch,
        batchTime: batch * 100,
        jobId: 0,
        stageId: 0,
      },
      programHash: start.programHash,
      stage: Buffer.from('stage'),
      tasks,
      attemptsMax: 4,
      taskTimeoutMs: 60_000,
      localityWaitMs: 100,
    },
  });
}

let bytes = 0;
function taskEvent(event) {
  if (event.kind === 'task-succeeded') {
    bytes += event.result.length;
    if (job.does === 'print-places') process.stdout.write(`${event.executorId} at ${event.blockAddress}\n`);
    if (--remaining > 0) return;
    send({
      kind: 'event',
      event: {
        kind: 'batch-completed',
        batch: {
          number: batch,
          batchTime: event.key.batchTime,
          records: bytes,
          span: 0,
          tasks: job.tasks,
          failedAttempts: 0,
          lag: 3,
          schedulingMs: 0,
          processingMs: 1.5,
          totalMs: 2,
          coalescedIntervals: 0,
          accumulators: [],
          batchIntervalMs: 100,
        },
      },
    });
    if (batch < (job.batches ?? Infinity)) later(runBatch, job.pauseMs ?? 5);
  } else if (event.kind === 'attempt-failed') {
    send({
      kind: 'event',
      event: { kind: 'notice', level: 'warn', text: `attempt failed: ${event.error.code}` },
    });
  } else {
    send({ kind: 'event', event: { kind: 'ended', error: event.error } });
    later(() => process.exit(1), 10);
  }
}

function stop(mode) {
  if (job?.does === 'never-stop') return;
  process.stdout.write(`stopping: ${mode}\n`);
  const unfinished = job?.does === 'drain-too-long' &&
    mode === 'drain' && { error: error('DRAIN_TIMEOUT', 'batch 5 is not done') };
  send({ kind: 'event', event: { kind: 'ended', ...unfinished } });
  later(() => process.exit(unfinished ? 1 : 0), 10);
}
