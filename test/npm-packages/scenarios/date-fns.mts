import { hash } from 'node:crypto';
import { inspect } from 'node:util';
import * as dateFns from 'date-fns';
import {
  add,
  addBusinessDays,
  areIntervalsOverlapping,
  closestTo,
  differenceInCalendarDays,
  eachWeekOfInterval,
  endOfMonth,
  format,
  formatDistance,
  formatDuration,
  formatISO,
  getISOWeek,
  intervalToDuration,
  isValid,
  lightFormat,
  nextFriday,
  parse,
  parseISO,
  roundToNearestMinutes,
  set,
  startOfWeek,
  subMonths,
} from 'date-fns';

/** What asks the clock, and what changes the library. */
const LEFT_OUT =
  /^(?:is(?:Today|Tomorrow|Yesterday|Past|Future|This\w+)|\w*Now\w*|(?:start|end)Of(?:Today|Tomorrow|Yesterday)|setDefaultOptions)$/;

const ARGUMENTS: readonly (readonly unknown[])[] = [
  [new Date(2024, 1, 29, 23, 59, 59, 999), 3],
  [new Date(2024, 1, 29), new Date(2026, 0, 31, 13, 45)],
  [new Date(2026, 2, 29, 2, 30), new Date(2020, 11, 31), { weekStartsOn: 1 }],
  [new Date(2021, 5, 15), 'yyyy-MM-dd', { addSuffix: true }],
  [new Date(2021, 5, 15), { months: 1, days: -2, unit: 'hour' }],
  [{ start: new Date(2024, 1, 1), end: new Date(2024, 2, 3, 4) }, { step: 2 }],
  [
    { start: new Date(2024, 1, 1), end: new Date(2023, 1, 1) },
    { start: 0, end: 1e12 },
  ],
  [[new Date(2020, 1, 1), new Date(2021, 1, 1)]],
  [new Date(2022, 1, 1), [new Date(2020, 1, 1), new Date(2023, 1, 1)]],
  [{ years: 1, hours: 25, seconds: 3.5 }, { format: ['years', 'hours'] }],
  [1_700_000_000_123, -17],
  ['2024-02-30T10:00:00Z', 'dd.MM.yyyy', new Date(0)],
  ['17.03.2022', 'dd.MM.yyyy', new Date(0)],
  [new Date(Number.NaN), 1],
  [undefined, null],
  [],
];

function outcomeOf(call: () => unknown): string {
  try {
    // Of an error that is returned without its stack.
    return inspect(call(), { depth: 3 }).replaceAll(/\n\s+at .*/g, '');
  } catch (error) {
    return String(error);
  }
}

/** Every function of the library, with many kinds of arguments: "16 results", and their hash. */
function sweep(): Record<string, string> {
  const library = dateFns as unknown as Record<string, unknown>;
  const names = Object.keys(library).filter(
    (name) => typeof library[name] === 'function' && !LEFT_OUT.test(name),
  );
  return Object.fromEntries(
    names.toSorted().map((name) => {
      const call = library[name] as (...args: readonly unknown[]) => unknown;
      const results = ARGUMENTS.map((args) => outcomeOf(() => call(...args)));
      return [name, `${results.length} results: ${hash('md5', results.join('\n'))}`];
    }),
  );
}

export default function scenario(): unknown {
  const at = new Date(2026, 0, 31, 13, 45, 12, 345);
  const early = new Date(2024, 1, 29);
  const iso = (date: Date): string => lightFormat(date, 'yyyy-MM-dd HH:mm:ss.SSS');
  return {
    formats: [
      "yyyy-MM-dd'T'HH:mm:ss.SSS",
      'EEEE, do MMMM y',
      'Qo RRRR-II i',
      'h:mm aaaa',
      'PPPppp',
      "''yy D",
    ].map((f) => format(at, f, { useAdditionalDayOfYearTokens: true })),
    moved: [
      addBusinessDays(at, 10),
      add(at, { months: 1, days: 2, hours: 3 }),
      subMonths(at, 11),
      nextFriday(at),
      endOfMonth(early),
      startOfWeek(at, { weekStartsOn: 1 }),
      set(at, { month: 1, date: 5 }),
      roundToNearestMinutes(at, { nearestTo: 15 }),
    ].map(iso),
    parsed: [
      parse('29/02/2024 11:05 PM', 'dd/MM/yyyy hh:mm aa', at),
      parse('3rd March 2021', 'do MMMM yyyy', at),
      parseISO('2026-W05-6'),
      parseISO('20260131T101112'),
    ].map(iso),
    invalid: [isValid(parse('x', 'yyyy', at)), isValid(parseISO('2023-02-30'))],
    distances: [
      formatDistance(at, early, { addSuffix: true }),
      formatDistance(at, at, { includeSeconds: true }),
      formatDuration(intervalToDuration({ start: early, end: at })),
    ],
    numbers: [differenceInCalendarDays(at, early), getISOWeek(at)],
    weeks: eachWeekOfInterval({ start: early, end: new Date(2024, 2, 20) }).map(iso),
    overlaps: areIntervalsOverlapping({ start: early, end: at }, { start: at, end: at }, { inclusive: true }),
    closest: iso(closestTo(at, [early, new Date(2026, 1, 1)]) as Date),
    date: formatISO(early, { representation: 'date' }),
    sweep: sweep(),
  };
}
