import type { ErrorCode } from '@millrace/common';

/** Files of a project by their path; `job.ts` is the job. */
export type Project = Readonly<Record<string, string>>;

/**
 * A job that must be refused, and one that is as near to it as can be and must pass. `⟪` stands before each place that
 * is named, in the order of the problems; it is no part of the source. Without one, the problem is about a whole file.
 */
export interface CorpusCase {
  readonly title: string;
  readonly bad: Project;
  /** Of the problems, in their order. */
  readonly codes: readonly ErrorCode[];
  /** Parts of the (first) fix: they have the author's own names. */
  readonly fix: readonly string[];
  /** Parts of what else is said. */
  readonly says?: readonly string[];
  readonly good: Project;
}

export interface JobParts {
  /** Before the job: imports, declarations. */
  readonly top?: string;
  /** In the function given to defineJob, where `ssc` and `orders` are in scope. */
  readonly body: string;
  readonly async?: boolean;
  readonly files?: Project;
}

/** A whole job around what matters. */
export function job({ top = '', body, async = false, files = {} }: JobParts): Project {
  return {
    'job.ts': `import { ConsumerStrategies, defineJob, LocationStrategies, perExecutor } from '@millrace/api';
${top}

export default defineJob({ name: 'corpus', batchInterval: '1s' }, ${async ? 'async ' : ''}(ssc) => {
  const orders = ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe('orders', { brokers: 'localhost:1', groupId: 'g', startFrom: 'earliest' }),
  );
  ${body}
});
void perExecutor;
`,
    ...files,
  };
}

export const VENDOR: Project = {
  'node_modules/vendor/package.json':
    '{ "name": "vendor", "version": "1.0.0", "type": "module", "main": "index.js" }',
  'node_modules/vendor/index.js': `export function memoize(f) {
  const known = new Map();
  return (x) => {
    if (!known.has(x)) known.set(x, f(x));
    return known.get(x);
  };
}
export const trim = (text) => text.trim();
export class Money {
  constructor(cents) { this.cents = cents; }
  add(other) { return new Money(this.cents + other.cents); }
}
export class Sealed {
  #cents;
  constructor(cents) { this.#cents = cents; }
  get cents() { return this.#cents; }
}
`,
};
