import { MillraceError, nearestName } from '@millrace/common';
import type { StoredOperator, StoredState } from '@millrace/driver';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { CHECKPOINT_PLACE, noLogOf, withCheckpointStore } from '../options/checkpoint-place.ts';
import { addOutputFlags, type OutputFlags, writeJson } from '../options/cluster-options.ts';
import { addFlags, resolveFlags } from '../options/flags.ts';
import { stateJson, stateText, valueJson, valueText } from '../render/state-text.ts';

type GivenFlags = OutputFlags & Readonly<Record<string, unknown>>;

/** `millrace state ls|get`: reads files, and asks no driver. */
export function addState(program: Command, cli: CliContext): void {
  const state = program
    .command('state')
    .description('look into keyed state, as the last committed batch left it');
  const ls = state
    .command('ls <application> [operator]')
    .description('list the operators of an application that keep state, or the partitions of one')
    .action((application: string, operator: string | undefined, given: GivenFlags) =>
      listState(cli, application, operator, given),
    );
  addOutputFlags(addFlags(ls, CHECKPOINT_PLACE), 'one JSON document on standard output');
  const get = state
    .command('get <application> <operator> <key>')
    .description('print the state of a key, given as JSON (42, ["de",1]) or as the string itself')
    .action((application: string, operator: string, key: string, given: GivenFlags) =>
      getState(cli, application, operator, key, given),
    );
  addOutputFlags(addFlags(get, CHECKPOINT_PLACE), 'one JSON document on standard output');
}

async function listState(
  cli: CliContext,
  application: string,
  operator: string | undefined,
  given: GivenFlags,
): Promise<void> {
  await withState(cli, application, given, async (state) => {
    const one = operator === undefined ? undefined : operatorOf(state, application, operator);
    return () => {
      if (given.json === true) writeJson(cli, stateJson(state, one));
      else cli.terminal.out(stateText(state, one));
    };
  });
}

async function getState(
  cli: CliContext,
  application: string,
  operator: string,
  text: string,
  given: GivenFlags,
): Promise<void> {
  const { lookUpState } = await import('@millrace/executor');
  await withState(cli, application, given, async (state) => {
    const { name, held, isHashed, partitions } = operatorOf(state, application, operator);
    const lookup = {
      hashedOver: isHashed ? partitions : undefined,
      partitions: held,
      read: state.read,
    };
    for (const key of keysOf(text)) {
      const found = await lookUpState(lookup, key);
      if (found) {
        return () => {
          if (given.json === true) writeJson(cli, valueJson(name, found));
          else cli.terminal.out(valueText(found, given.verbose === true));
        };
      }
    }
    throw new MillraceError('STATE_UNKNOWN', `"${name}" has no state of the key ${text}`, {
      remedy:
        'A key that is not a string is written as JSON; one that is, and looks like JSON, in quotes: \'"42"\'.',
      details: { operator: name },
    });
  });
}

/** `use` may be called again; what it returns is called once. */
async function withState(
  cli: CliContext,
  application: string,
  given: GivenFlags,
  use: (state: StoredState) => Promise<() => void>,
): Promise<void> {
  const place = resolveFlags(CHECKPOINT_PLACE, given, cli.env);
  const { withStoredState } = await import('@millrace/driver');
  const print = await withCheckpointStore(cli, place, (store) => withStoredState(application, store, use));
  if (!print) throw noLogOf(application);
  print();
}

function operatorOf({ operators }: StoredState, application: string, wanted: string): StoredOperator {
  const found = operators.find(({ name }) => name === wanted);
  if (found) return found;
  const names = operators.map(({ name }) => name);
  const near = nearestName(wanted, names);
  throw new MillraceError('STATE_UNKNOWN', `${application} keeps no state named "${wanted}"`, {
    remedy:
      near === undefined
        ? names.length === 0
          ? 'No operator of it keeps state.'
          : `There is ${names.map((name) => `"${name}"`).join(', ')}.`
        : `Did you mean "${near}"?`,
    details: { operator: wanted },
  });
}

/** What a key may be meant by a text: the JSON that it is, else the string. */
function keysOf(text: string): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'string' ? [parsed] : [parsed, text];
  } catch {
    return [text];
  }
}
