import { inspect } from 'node:util';
import { MillraceError, placed } from '@millrace/common';
import { DEFAULT_KEY_CODEC, DEFAULT_VALUE_CODEC, shipCodec } from '../kafka/ship-codec.ts';
import type { JobRunner } from '../lineage/job-runner.ts';
import type { RDD } from '../rdd.ts';
import type { FunctionShipper } from '../shipped-function.ts';
import type { BatchTime, DirectKafkaInput, OutputOperation, StreamGraph, StreamNode } from './stream-node.ts';

/** Collects what a job module registers, and every problem of it, so that all are reported at once. */
export class GraphBuilder {
  readonly #inputs: DirectKafkaInput[] = [];
  readonly #outputs: OutputOperation[] = [];
  readonly #lambdas: { operation: string; functions: readonly Function[]; place: string }[] = [];
  readonly #problems: MillraceError[] = [];
  readonly #place: string;
  #runner: JobRunner | undefined;
  #closed = false;

  /** `place`: where the job is defined. */
  constructor(place = '') {
    this.#place = place;
  }

  /** Those that were found so far. */
  get problems(): readonly MillraceError[] {
    return this.#problems;
  }

  get graph(): StreamGraph {
    return { inputs: this.#inputs, outputs: this.#outputs };
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

  /** The runner as it will be: for an RDD that is made while the job is built, and used in foreachRDD or transform. */
  get laterRunner(): JobRunner {
    const runner = (): JobRunner => this.runner;
    return {
      run: (job) => runner().run(job),
      ship: (fn, where) => runner().ship(fn, where),
      broadcast: (content) => runner().broadcast(content),
      dropBroadcast: (hash) => runner().dropBroadcast(hash),
      print: (text) => runner().print(text),
      notice: (text) => runner().notice(text),
      kafka: (options) => runner().kafka(options),
    };
  }

  addInput(input: Omit<DirectKafkaInput, 'inputId'>): StreamNode {
    this.#mustBeOpen('a stream');
    const numbered = { ...input, inputId: this.#inputs.length };
    this.#inputs.push(numbered);
    return { kind: 'direct-kafka', input: numbered };
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
  ): void {
    this.#mustBeOpen('an output operation');
    this.#outputs.push({ outputId: this.#outputs.length, name, node, run, place });
  }

  /**
   * Runs a check now; its MillraceError becomes one of the job's problems, so that the next ones are found, too.
   * `place`: what it is about, unless the error names that itself.
   */
  check(run: () => void, place = ''): void {
    try {
      run();
    } catch (error) {
      if (!MillraceError.is(error)) throw error;
      this.#problems.push(placed(error, place));
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
