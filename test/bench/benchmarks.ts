import type { Benchmark } from './benchmark.ts';
import { closures } from './closures.ts';
import { latency } from './latency.ts';
import { logRecords } from './log.ts';
import { produce } from './produce.ts';
import { recovery } from './recovery.ts';
import { shuffle } from './shuffle.ts';
import { startup } from './startup.ts';
import { throughput } from './throughput.ts';
import { txecho } from './txecho.ts';

const RECORDS_PER_SECOND_TINY = 1000;

export const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  count: (settings) => throughput('count', settings),
  json: (settings) => throughput('json', settings),
  jsonagg: (settings) => throughput('jsonagg', settings),
  wordcount: (settings) => throughput('wordcount', settings),
  // The bare loop counts by key, too, in two halves.
  updateState: (settings) => throughput('keys', settings, 'updateState'),
  mapWithState: (settings) => throughput('keys', settings, 'mapWithState'),
  largeState: (settings) => latency('largeState', settings, 10_000),
  echo: (settings) => throughput('echo', settings),
  txecho,
  shuffle,
  tiny: (settings) => latency('tiny', settings, RECORDS_PER_SECOND_TINY),
  twostage: (settings) => latency('twostage', settings, RECORDS_PER_SECOND_TINY),
  empty: (settings) => latency('empty', settings, 0),
  startup,
  produce,
  closures,
  log: logRecords,
  recovery,
};
