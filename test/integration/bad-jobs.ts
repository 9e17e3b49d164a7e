import type { ErrorCode } from '@millrace/common';
import { EXIT } from '../../packages/cli/src/exit-codes.ts';

/** A job that must not run, and what is said of it. */
export interface BadJob {
  /** What the test says of it. */
  readonly title: string;
  /** test/jobs/bad/`file`.ts, or `file`.ts.txt for what TypeScript itself would not accept. */
  readonly file: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly code: ErrorCode;
  readonly exit: number;
  /** What stands in the line of the job (the first such); absent: the error is about no line. */
  readonly place?: string;
  /** What is wrong and what to do. `<topic>` is replaced. */
  readonly says: readonly string[];
}

type Mistake = { readonly name: string } & Required<Pick<BadJob, 'title' | 'place' | 'says'>>;

/** Of a file with several, of which BAD_NAME says one. */
function mistakesOf(of: Pick<BadJob, 'file' | 'code' | 'exit'>): (mistake: Mistake) => BadJob {
  return ({ name, ...said }) => ({ ...said, ...of, env: { BAD_NAME: name } });
}

/** User code gives what cannot be a key, a place or a row. */
const keyed = mistakesOf({ file: 'keyed', code: 'USER_CODE', exit: EXIT.jobFailed });

/** The definition of the job is wrong. */
const stateful = mistakesOf({ file: 'stateful', code: 'JOB_INVALID', exit: EXIT.invalid });

function noKey({ what, ...mistake }: Omit<Mistake, 'says'> & { readonly what: string }): BadJob {
  return keyed({ ...mistake, says: [`${what} cannot be a key`, 'Use strings, numbers'] });
}

/** Refused by `submit`: no application comes to be, nothing is planned. */
export const REFUSED: readonly BadJob[] = [
  {
    title: 'no output operation',
    file: 'no-output',
    code: 'NO_OUTPUT_OPERATION',
    exit: EXIT.invalid,
    place: 'export default',
    says: ['nothing would run', 'End a stream with foreachRDD() or print()'],
  },
  {
    title: 'unknown topics',
    file: 'unknown-topic',
    code: 'UNKNOWN_TOPIC',
    exit: EXIT.invalid,
    place: '.createDirectStream(',
    says: [
      'The topics "no-such-topic", "nor-this-one" do not exist',
      'Create them first, or correct the names',
    ],
  },
  {
    title: 'a broker that refuses connections',
    file: 'unreachable-broker',
    env: { BAD_NAME: 'bad-refusing', BAD_BROKERS: '127.0.0.1:1' },
    code: 'KAFKA_UNREACHABLE',
    exit: EXIT.unreachable,
    place: '.createDirectStream(',
    says: ['127.0.0.1:1', 'Check the addresses'],
  },
  {
    title: 'a broker that takes connections and never answers',
    file: 'unreachable-broker',
    env: { BAD_NAME: 'bad-silent', BAD_BROKERS: 'SILENT' },
    code: 'KAFKA_UNREACHABLE',
    exit: EXIT.unreachable,
    place: '.createDirectStream(',
    says: ['no answer from Kafka at 127.0.0.1:', 'within 10 s', 'Check the addresses'],
  },
  {
    title: 'no startFrom on a first run',
    file: 'no-start',
    code: 'NO_START_OFFSET',
    exit: EXIT.invalid,
    place: '.createDirectStream(',
    says: [
      'nothing says where <topic>-0, <topic>-1 begin',
      "Set startFrom to 'earliest', 'latest' or { timestamp }",
    ],
  },
  {
    title: 'auto-commit on',
    file: 'auto-commit',
    code: 'CONFIG_INVALID',
    exit: EXIT.invalid,
    place: '.createDirectStream(',
    says: ['"enable.auto.commit": auto-commit would lose records', 'remove it'],
  },
  {
    title: 'unknown options and wrong types, all at once',
    file: 'unknown-options',
    code: 'CONFIG_INVALID',
    exit: EXIT.invalid,
    place: 'export default',
    says: [
      '4 problems',
      'unknown option "taskAttempsMax"; did you mean "taskAttemptsMax"?',
      '"batchInterval": "quickly" is not a duration',
      'unknown option "startForm"; did you mean "startFrom"?',
      '"maxRecordsPerBatch": expected a number above 0, or \'unlimited\', got many',
    ],
  },
  {
    title: 'offsets outside of the topic',
    file: 'offsets-outside',
    code: 'JOB_INVALID',
    exit: EXIT.invalid,
    place: '.createDirectStream(',
    says: [
      '3 problems',
      'offset 1000 of <topic>-0, given to the consumer strategy, is beyond the end 2 [OFFSET_OUT_OF_RANGE]',
      'Give an offset in [0, 2].',
      'offset 2000 of <topic>-1, given to the consumer strategy, is beyond the end 0 [OFFSET_OUT_OF_RANGE]',
      '<topic>-7 is given a start offset, but the stream does not read it [UNKNOWN_PARTITION]',
    ],
  },
  {
    title: 'an offset beyond 2^53−1',
    file: 'unsafe-offset',
    code: 'CONFIG_INVALID',
    exit: EXIT.invalid,
    place: '.createDirectStream(',
    says: ['offset 9007199254740992 of <topic>-0 is not an integer in [0, 2^53−1]'],
  },
  {
    title: 'a partition that is listed twice',
    file: 'twice',
    code: 'OFFSET_RANGE_INVALID',
    exit: EXIT.invalid,
    place: '.createDirectStream(',
    says: ['<topic>-0, <topic>-1 are listed twice', 'List each partition once.'],
  },
  {
    title: 'lambdas that cannot ship',
    file: 'cannot-ship',
    code: 'JOB_INVALID',
    exit: EXIT.invalid,
    place: '.filter(',
    says: [
      'captured `server` is a Server',
      'fix: create it once per executor process:  const server = perExecutor(() => …)',
      '[CLOSURE_CAPTURE]',
      'assigns to `seen`, a variable of the driver [CLOSURE_WRITES_CAPTURE]',
      'fix: count with an accumulator',
    ],
  },
  {
    title: 'an element function that is async',
    file: 'async-map',
    code: 'ELEMENT_PROMISE',
    exit: EXIT.invalid,
    place: '.map(',
    says: ['the function of map()', 'returned a Promise', 'use mapAsync, mapPartitions or foreachPartition'],
  },
  {
    title: 'imports that do not resolve',
    file: 'unresolved-import',
    code: 'IMPORT_UNRESOLVED',
    exit: EXIT.invalid,
    place: 'import { parse }',
    says: [
      "cannot resolve 'left-padder'",
      'fix: install the package:  npm install left-padder   or name it with --external',
      "cannot resolve './helpers/nowhere.ts'",
      'fix: correct the path',
    ],
  },
  {
    title: 'a package with a native addon',
    file: 'native-addon',
    code: 'NATIVE_ADDON',
    exit: EXIT.invalid,
    place: 'import { hash }',
    says: ["package 'fast-native-hash' has a native addon", '--external fast-native-hash'],
  },
  {
    title: 'a job that does not compile',
    file: 'does-not-compile',
    code: 'BUNDLE_FAILED',
    exit: EXIT.invalid,
    place: 'const x = ;',
    says: ['Unexpected token', '> 4 |   const x = ;', 'fix: correct the syntax'],
  },
  {
    title: 'a job module without a default export',
    file: 'no-default-export',
    code: 'JOB_NO_DEFAULT_EXPORT',
    exit: EXIT.invalid,
    says: [
      'no-default-export.ts has no default export',
      'it exports job',
      'Write `export default defineJob(',
    ],
  },
  {
    title: 'a job module that throws',
    file: 'throws',
    code: 'JOB_EVALUATION_FAILED',
    exit: EXIT.invalid,
    place: 'const { length } = settings',
    says: ['Mend what the job module throws at its top level'],
  },
  stateful({
    name: 'bad-window',
    title: 'a window that is no multiple of the batch interval',
    place: ".window('250ms')",
    says: ['a window of 250 ms is not a multiple of 100 ms'],
  }),
  stateful({
    name: 'bad-slide',
    title: 'a slide that is no multiple of the batch interval',
    place: '.countByWindow(',
    says: ['a slide of 150 ms is not a multiple of 100 ms'],
  }),
  stateful({
    name: 'bad-inverse',
    title: 'a window with an inverse, without a name for its state',
    place: '.reduceByKeyAndWindow(',
    says: ['reduceByKeyAndWindow() has no name', 'Its state is found by it'],
  }),
  stateful({
    name: 'bad-unnamed',
    title: 'state without a name',
    place: '.updateStateByKey(total, unnamed)',
    says: ['updateStateByKey() has no name', 'Its state is found by it'],
  }),
  stateful({
    name: 'bad-names',
    title: 'two stateful operators of one name',
    place: 'const second =',
    says: ['there is state named "totals" already', 'the other one is at'],
  }),
  {
    title: 'all of these in one job, all at once',
    file: 'everything',
    code: 'JOB_INVALID',
    exit: EXIT.invalid,
    place: 'export default',
    says: [
      '10 problems',
      'did you mean "taskAttemptsMax"?',
      'did you mean "startFrom"?',
      'auto-commit would lose records',
      '"no-such-topic" does not exist [UNKNOWN_TOPIC]',
      'is beyond the end 0 [OFFSET_OUT_OF_RANGE]',
      '<topic>-0 is listed twice [OFFSET_RANGE_INVALID]',
      '[NO_START_OFFSET]',
      'returned a Promise [ELEMENT_PROMISE]',
      'captured `server` is a Server',
      '[NO_OUTPUT_OPERATION]',
    ],
  },
];

/** Known only when records or RDDs are there: the application fails at its first batch. */
export const FAILED: readonly BadJob[] = [
  {
    title: 'ranges with from > until',
    file: 'from-after-until',
    code: 'OFFSET_RANGE_INVALID',
    exit: EXIT.jobFailed,
    place: 'const rdd = await ssc.kafka.createRDD',
    says: [
      '2 problems',
      '[2, 1) of <topic>-0',
      '[1, 0) of <topic>-1',
      'Give integers with 0 ≤ from ≤ until.',
    ],
  },
  {
    title: 'an element function that returns a Promise',
    file: 'returns-promise',
    code: 'ELEMENT_PROMISE',
    exit: EXIT.jobFailed,
    place: '.map(',
    says: [
      'returned a Promise',
      'use mapAsync, mapPartitions or foreachPartition',
      'topic=<topic> partition=0',
    ],
  },
  noKey({
    name: 'bad-key-combined',
    title: 'a Map as a key, where values are combined before they move',
    place: '.reduceByKey(',
    what: 'a Map',
  }),
  noKey({
    name: 'bad-key-grouped',
    title: 'an instance of a class as a key, where all rows move',
    place: '.groupByKey(',
    what: 'a Session',
  }),
  noKey({
    name: 'bad-key-joined',
    title: 'a symbol as a key of a join',
    place: '.join(',
    what: 'a symbol',
  }),
  keyed({
    name: 'bad-key-sorted',
    title: 'keys without an order, where rows are sorted',
    place: '.sortByKey(',
    says: ['know no order of Object', 'Give them a comparator'],
  }),
  keyed({
    name: 'bad-partition',
    title: 'a partitioner that returns what is no partition',
    place: 'partitionOf:',
    says: ['the partitioner gave 7 for a key: not an integer of 0 to 1', 'Return the index of a partition.'],
  }),
  keyed({
    name: 'bad-value-moved',
    title: 'a row that cannot leave its task',
    place: '.repartition(',
    says: ['a value cannot be moved to another task', 'later', 'Map rows to plain objects'],
  }),
  {
    title: 'a value that does not decode',
    file: 'not-json',
    code: 'VALUE_DECODE',
    exit: EXIT.jobFailed,
    says: ['the value at offset 1 of <topic>-0 does not decode', 'Mend the producer, or read it as bytes()'],
  },
];
