import { inspect } from 'node:util';
import { MillraceError, placed } from '@millrace/common';
import type { OffsetCommitter } from '../kafka/offset-commit.ts';
import { DEFAULT_KEY_CODEC, DEFAULT_VALUE_CODEC, shipCodec } from '../kafka/ship-codec.ts';
import type { JobRunner } from '../lineage/job-runner.ts';
import type { OutputTransactions } from '../output/exactly-once.ts';
import { NO_RUN, type OutputRun } from '../output/output-run.ts';
import type { RDD } from '../rdd.ts';
import type { FunctionShipper } from '../shipped-function.ts';
import { checkStateName } from '../state/state-spec.ts';
import type { BatchRdds } from './compute-rdd.ts';
import type {
  BatchTime,
  DirectKafkaInput,
  InverseWindowNode,
  OutputOperation,
  QueueNode,
  StatefulStreamNode,
  StreamGraph,
  StreamNode,
} from './stream-node.ts';
import { slideOf } from './stream-slides.ts';

/** Collects what a job module registers, and every problem of it, so that all are reported at once. */
export class GraphBuilder {
  readonly #inputs: DirectKafkaInput[] = [];
  readonly #outputs: OutputOperation[] = [];
  readonly #lambdas: { operation: string; functions: readonly Function[]; place: string }[] = [];
  readonly #problems: MillraceError[] = [];
  readonly #queues: QueueNode[] = [];
  readonly #stateful: StatefulStreamNode[] = [];
  readonly #inverseWindows: InverseWindowNode[] = [];
  /** By name, where its operator is. */
  readonly #stateNames = new Map<string, string>();
  readonly #place: string;
  readonly #batchIntervalMs: number;
  #rememberMs = 0;
  #rdds: BatchRdds | undefined;
  #runner: JobRunner | undefined;
  #committer: OffsetCommitter | undefined;
  #transactions: OutputTransactions | undefined;
  /** As it is now. Set when the application starts. */
  outputRun: () => OutputRun = () => NO_RUN;
  #closed = false;

  /** `place`: where the job is defined. */
  constructor(batchIntervalMs: number, place = '') {
    this.#batchIntervalMs = batchIntervalMs;
    this.#place = place;
  }

  /** Those that were found so far. */
  get problems(): readonly MillraceError[] {
    return this.#problems;
  }

  get graph(): StreamGraph {
    return {
      inputs: this.#inputs,
      outputs: this.#outputs,
      queues: this.#queues,
      stateful: this.#stateful,
      inverseWindows: this.#inverseWindows,
      stateNames: this.#stateNames,
      batchIntervalMs: this.#batchIntervalMs,
      rememberMs: this.#rememberMs,
    };
  }

  /** Set when the application starts; RDD actions and print need it. */
  set runner(runner: JobRunner) {
    this.#runner = runner;
  }

  /** @throws MillraceError BAD_REQUEST before the application runs. */
  get runner(): JobRunner {
    if (this.#runner) return this.#runner;
    throw new MillraceError('BAD_REQUEST', 'an RDD was used while the job was being built', {
      remedy: 'Building a job has no side effects: use RDDs in foreachRDD or transform.',
    });
  }

  /** Set when the application starts. */
  set rdds(rdds: BatchRdds) {
    this.#rdds = rdds;
  }

  /** For slice(). @throws MillraceError BAD_REQUEST before the application runs. */
  get rdds(): BatchRdds {
    if (this.#rdds) return this.#rdds;
    throw new MillraceError('BAD_REQUEST', 'slice() was called while the job was being built', {
      remedy: 'Building a job has no side effects: call slice() in foreachRDD or transform.',
    });
  }

  /** Set when the application starts. */
  set committer(committer: OffsetCommitter) {
    this.#committer = committer;
  }

  /** @throws MillraceError BAD_REQUEST before the application runs. */
  get committer(): OffsetCommitter {
    if (this.#committer) return this.#committer;
    throw new MillraceError('BAD_REQUEST', 'offsets were committed while the job was being built', {
      remedy: 'Building a job has no side effects: call commitAsync() in foreachRDD.',
    });
  }

  /** Set when the application starts. */
  set transactions(transactions: OutputTransactions) {
    this.#transactions = transactions;
  }

  /** @throws MillraceError BAD_REQUEST before the application runs. */
  get transactions(): OutputTransactions {
    if (this.#transactions) return this.#transactions;
    throw new MillraceError('BAD_REQUEST', 'an output was written while the job was being built', {
      remedy: 'Building a job has no side effects: outputs write when the application runs.',
    });
  }

  /** The runner as it will be: for an RDD that is made while the job is built, and used in foreachRDD or transform. */
  get laterRunner(): JobRunner {
    return {
      run: (job) => this.runner.run(job),
      release: (node) => this.runner.release(node),
      stateOf: (name) => this.runner.stateOf(name),
      ship: (fn, where) => this.runner.ship(fn, where),
      broadcast: (content) => this.runner.broadcast(content),
      dropBroadcast: (hash) => this.runner.dropBroadcast(hash),
      print: (text) => this.runner.print(text),
      notice: (text) => this.runner.notice(text),
      kafka: (options) => this.runner.kafka(options),
    };
  }

  addInput(input: Omit<DirectKafkaInput, 'inputId'>): StreamNode {
    this.#mustBeOpen('a stream');
    const numbered = { ...input, inputId: this.#inputs.length };
    this.#inputs.push(numbered);
    return { kind: 'direct-kafka', input: numbered };
  }

  addQueue(queue: QueueNode): StreamNode {
    this.#mustBeOpen('a stream');
    this.#queues.push(queue);
    return queue;
  }

  /** Two of one name become a problem of the job. `calledAt`: where the operator is, wherever its function stands. */
  addStateful(node: StatefulStreamNode, calledAt: string): StatefulStreamNode {
    this.#mustBeOpen('an operator');
    const { name, operation } = node.operator;
    this.check(() => {
      checkStateName(operation, name);
      this.addStateName(name, operation, calledAt);
    }, calledAt);
    this.#stateful.push(node);
    return node;
  }

  /** Somebody reads all rows of the state: tasks leave them when it is known before. */
  addSnapshots({ snapshots }: StatefulStreamNode): void {
    if (!snapshots.wanted) this.#mustBeOpen('stateSnapshots()');
    snapshots.wanted = true;
  }

  addInverseWindow(node: InverseWindowNode): InverseWindowNode {
    this.#mustBeOpen('an operator');
    this.addStateName(node.operator.name, node.operator.operation, node.place);
    this.#inverseWindows.push(node);
    return node;
  }

  /** The name of what keeps state from batch to batch. One that is taken becomes a problem of the job. */
  addStateName(name: string, operation: string, place: string): void {
    const other = this.#stateNames.get(name);
    if (other === undefined) this.#stateNames.set(name, place);
    else
      this.check(() => {
        throw new MillraceError('JOB_INVALID', `${operation}(): there is state named "${name}" already`, {
          remedy: `Give each stateful operator a name of its own; the other one is at ${other}.`,
        });
      }, place);
  }

  /** The longest of all that were asked for counts. */
  remember(ms: number): void {
    this.#mustBeOpen('what is remembered');
    this.#rememberMs = Math.max(this.#rememberMs, ms);
  }

  /** ms: how often the stream has an RDD. */
  slideOf(node: StreamNode): number {
    return slideOf(node, this.#batchIntervalMs);
  }

  /** Streams that meet batch by batch slide alike. One that does not becomes a problem of the job. */
  checkSlides(operation: string, nodes: readonly StreamNode[], place: string): void {
    const [own = 0, ...others] = nodes.map((node) => this.slideOf(node));
    const other = others.find((slide) => slide !== own);
    if (other === undefined) return;
    this.check(() => {
      throw new MillraceError(
        'JOB_INVALID',
        `${operation}() of streams that slide differently: one every ${own} ms, the other every ${other} ms`,
        { remedy: 'Give their windows the same slide.' },
      );
    }, place);
  }

  /** What runs elsewhere: tried before the application starts, captured anew for each batch. */
  addLambdas(operation: string, functions: readonly Function[], place: string): void {
    this.#mustBeOpen('an operator');
    this.#lambdas.push({ operation, functions, place });
  }

  addOutput(
    name: string,
    node: StreamNode,
    run: (rdd: RDD<unknown>, time: BatchTime) => void | Promise<void>,
    place: string,
    sink: Pick<OutputOperation, 'guarantee' | 'to' | 'target' | 'exactlyOnce' | 'claim' | 'loggedAs'> = {},
  ): void {
    this.#mustBeOpen('an output operation');
    const { exactlyOnce } = sink;
    if (exactlyOnce) this.check(() => this.#checkOutputName(exactlyOnce.name), place);
    this.#outputs.push({ outputId: this.#outputs.length, name, node, run, place, ...sink });
  }

  #checkOutputName(name: string): void {
    const other = this.#outputs.find((output) => output.exactlyOnce?.name === name);
    if (other === undefined) return;
    throw new MillraceError('JOB_INVALID', `there is an exactly-once output named "${name}" already`, {
      remedy: `Give each a { name } of its own; the other one is at ${other.place}.`,
    });
  }

  /**
   * What a check gives; its MillraceError becomes one of the job's problems, so that the next ones are found, too: undefined then.
   * `place`: what it is about, unless the error names that itself.
   */
  check<R>(run: () => R, place = ''): R | undefined {
    try {
      return run();
    } catch (error) {
      if (!MillraceError.is(error)) throw error;
      this.#problems.push(placed(error, place));
      return undefined;
    }
  }

  /** No more registrations; every lambda is tried. All problems of the job, in order. */
  finish(ship: FunctionShipper): readonly MillraceError[] {
    this.tryLambdas(ship);
    if (this.#outputs.length === 0) {
      this.#problems.push(
        new MillraceError(
          'NO_OUTPUT_OPERATION',
          'the job registers no output operation, so nothing would run',
          {
            remedy: 'End a stream with foreachRDD() or print().',
            details: { place: this.#place },
          },
        ),
      );
    }
    return this.#problems;
  }

  /** No more registrations; problems of the lambdas that there are. */
  tryLambdas(ship: FunctionShipper): void {
    this.#closed = true;
    for (const { operation, functions, place } of this.#lambdas) {
      for (const f of functions)
        if (typeof f === 'function') this.check(() => void ship(f, operation), place);
    }
    for (const { options, place } of this.#inputs) {
      this.check(() => void shipCodec(options.key, DEFAULT_KEY_CODEC, ship), place);
      this.check(() => void shipCodec(options.value, DEFAULT_VALUE_CODEC, ship), place);
    }
  }

  print(text: string): void {
    this.runner.print(text);
  }

  /** A row as print() shows it. */
  show(row: unknown): string {
    return typeof row === 'string' ? row : inspect(row, { depth: 6, breakLength: 160, maxArrayLength: 100 });
  }

  #mustBeOpen(what: string): void {
    if (!this.#closed) return;
    throw new MillraceError('JOB_INVALID', `${what} was added after the application started`, {
      remedy: 'Register everything in the function given to defineJob.',
    });
  }
}
