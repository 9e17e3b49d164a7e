import { integer, optional } from '@millrace/common';
import { type Command, Option } from 'commander';
import type { CliContext } from '../cli-context.ts';
import type { OffsetChange } from '../client/cluster-client.ts';
import { withClient } from '../client/with-client.ts';
import { collect, parseAssignments } from '../options/assignments.ts';
import { addOutputFlags, clusterSchema, type OutputFlags, writeJson } from '../options/cluster-options.ts';
import { addFlags, resolveFlags } from '../options/flags.ts';
import { changeText, offsetsJson, offsetsText } from '../render/offsets-text.ts';
import { UsageError } from '../usage-error.ts';

// A host evaluates the job, and asks Kafka.
const SCHEMA = clusterSchema(60_000);
const CHANGE_SCHEMA = {
  ...SCHEMA,
  input: optional(integer({ doc: 'the stream that is meant, by its number', unit: 'n', min: 0 })),
};

interface ShowFlags extends OutputFlags, Readonly<Record<string, unknown>> {
  readonly ends?: boolean;
}

interface ChangeFlags extends OutputFlags, Readonly<Record<string, unknown>> {
  readonly execute?: boolean;
  readonly dryRun?: boolean;
}

interface ResetFlags extends ChangeFlags {
  readonly topic?: readonly string[];
  readonly toEarliest?: boolean;
  readonly toLatest?: boolean;
  readonly toGroup?: boolean;
  readonly toDatetime?: string;
  readonly shiftBy?: string;
}

/** `millrace offsets show|set|reset`. */
export function addOffsets(program: Command, cli: CliContext): void {
  const offsets = program
    .command('offsets')
    .description('show where an application stands, or move one that is stopped');
  const show = offsets
    .command('show <application>')
    .description("show the positions that the application's log holds")
    .option(
      '--ends',
      "also Kafka's earliest and latest offsets, and the lag: a host evaluates the job for it",
    )
    .action((application: string, given: ShowFlags) => showOffsets(cli, application, given));
  addOutputFlags(addFlags(show, SCHEMA), 'one JSON document on standard output');
  const set = offsets
    .command('set <application> <partition=offset...>')
    .description(
      'let a stopped application go on at exact offsets, as orders-0=4711; a dry run without --execute',
    )
    .action((application: string, given: readonly string[], flags: ChangeFlags) =>
      changeOffsets(cli, application, exactTarget(given), [], flags),
    );
  addChangeFlags(set);
  const reset = offsets
    .command('reset <application>')
    .description('let a stopped application go on elsewhere; a dry run without --execute')
    .option('--to-earliest', 'at the first records that there are')
    .option('--to-latest', 'at the end: what is not read yet is skipped')
    .option('--to-datetime <time>', 'at the first records that are not older, as 2026-11-21T10:00:00Z')
    .option('--shift-by <n>', 'so many offsets on, or with -n back, as far as there are records')
    .option('--to-group', "where the stream's consumer group stands in Kafka")
    .option('--topic <name>', 'only this topic, or partition (orders-0); may be repeated', collect)
    .action((application: string, flags: ResetFlags) =>
      changeOffsets(cli, application, resetTarget(flags), flags.topic ?? [], flags),
    );
  addChangeFlags(reset);
}

function addChangeFlags(command: Command): void {
  command
    .addOption(new Option('--execute', 'do it: without it nothing is changed'))
    .addOption(new Option('--dry-run', 'only show what would be done (the default)').conflicts('execute'));
  addOutputFlags(addFlags(command, CHANGE_SCHEMA), 'one JSON document on standard output');
}

async function showOffsets(cli: CliContext, application: string, given: ShowFlags): Promise<void> {
  const flags = resolveFlags(SCHEMA, given, cli.env);
  const report = await withClient(cli, { ...flags, quiet: given.quiet }, (client) =>
    client.offsets(application, { ends: given.ends === true, execute: false }),
  );
  if (given.json === true) writeJson(cli, offsetsJson(report));
  else cli.terminal.out(offsetsText(report));
}

async function changeOffsets(
  cli: CliContext,
  application: string,
  { target, problems }: Target,
  only: readonly string[],
  given: ChangeFlags,
): Promise<void> {
  const flags = resolveFlags(CHANGE_SCHEMA, given, cli.env, { problems });
  const change = { ...target, only: [...only], ...(flags.input === undefined ? {} : { input: flags.input }) };
  const report = await withClient(cli, { ...flags, quiet: given.quiet }, (client) =>
    client.offsets(application, { change, execute: given.execute === true, ends: true }),
  );
  if (given.json === true) {
    writeJson(cli, offsetsJson(report));
    return;
  }
  cli.terminal.out(changeText(report));
  if (report.executed || given.quiet === true) return;
  const moves = report.partitions.some(({ target: to }) => to !== undefined);
  cli.terminal.err(
    moves || report.givesUp ? 'dry run: nothing was changed; add --execute\n' : 'nothing to change\n',
  );
}

interface Target {
  readonly target: Omit<OffsetChange, 'only' | 'input'>;
  /** One sentence each. */
  readonly problems: readonly string[];
}

function exactTarget(given: readonly string[]): Target {
  const { values, problems } = parseAssignments('<partition=offset>', given);
  const found = [...problems, ...twice(given).map((name) => `"${name}" is given twice`)];
  const offsets: Record<string, number> = {};
  for (const [name, text] of Object.entries(values)) {
    const offset = Number(text);
    if (!/^.+-\d+$/.test(name)) found.push(`"${name}" is not topic-partition, as orders-0`);
    else if (!/^\d+$/.test(text) || !Number.isSafeInteger(offset))
      found.push(`${name}: "${text}" is not an offset in [0, 2^53−1]`);
    else offsets[name] = offset;
  }
  return { target: { target: 'exact', exact: { offsets } }, problems: found };
}

function twice(given: readonly string[]): readonly string[] {
  const names = Map.groupBy(given, (text) => text.split('=', 1)[0] ?? '');
  return [...names].flatMap(([name, all]) => (all.length > 1 ? [name] : []));
}

function resetTarget(flags: ResetFlags): Target {
  const targets = [
    ...(flags.toEarliest === true ? [{ target: 'earliest', earliest: true } as const] : []),
    ...(flags.toLatest === true ? [{ target: 'latest', latest: true } as const] : []),
    ...(flags.toGroup === true ? [{ target: 'group', group: true } as const] : []),
    ...(flags.toDatetime === undefined ? [] : [datetimeTarget(flags.toDatetime)]),
    ...(flags.shiftBy === undefined ? [] : [shiftTarget(flags.shiftBy)]),
  ];
  const [target] = targets;
  if (target && targets.length === 1) return { target, problems: [] };
  throw new UsageError(['give one of --to-earliest, --to-latest, --to-datetime, --shift-by and --to-group']);
}

function datetimeTarget(text: string): { readonly target: 'timestamp'; readonly timestamp: number } {
  const timestamp = Date.parse(text);
  if (Number.isSafeInteger(timestamp) && timestamp >= 0) return { target: 'timestamp', timestamp };
  throw new UsageError([`--to-datetime: "${text}" is not a time, as 2026-11-21T10:00:00Z`]);
}

function shiftTarget(text: string): { readonly target: 'shift'; readonly shift: number } {
  const shift = Number(text);
  if (/^[+-]?\d+$/.test(text) && Number.isSafeInteger(shift)) return { target: 'shift', shift };
  throw new UsageError([`--shift-by: "${text}" is not an integer`]);
}
