import type { JobWarning } from '@millrace/closures';
import type { MillraceError } from '@millrace/common';

/** One problem of a job, or one warning, for programs. Absent: not known, or it does not apply. */
export interface ProblemJson {
  readonly code: string;
  /** What is wrong, in one line or two. */
  readonly what: string;
  readonly file?: string;
  /** From 1. */
  readonly line?: number;
  /** From 1. */
  readonly column?: number;
  /** Why: the end of the sentence "… cannot be shipped, because". */
  readonly reason?: string;
  /** How the lambda reaches it: `audit.socket`. */
  readonly value?: string;
  /** Through which functions: "lambda (job.ts:5) → helper (job.ts:4)". */
  readonly path?: string;
  readonly frame?: string;
  readonly fix?: string;
}

const PLACE = /^(.*):(\d+):(\d+)$/;

export function problemJson(error: MillraceError): ProblemJson {
  const { code, what, remedy, details } = error;
  const text = (key: string): string | undefined => {
    const value = details[key];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const number = (key: string): number | undefined => {
    const value = details[key];
    return typeof value === 'number' ? value : undefined;
  };
  const [, placeFile, placeLine, placeColumn] = PLACE.exec(text('place') ?? '') ?? [];
  return compact({
    code,
    // A frame and what follows it have fields of their own.
    what: (details['frame'] === undefined ? what : (what.split('\n\n')[0] ?? '')).trim(),
    // With a place, it is one of data.
    file: placeFile ?? text('file'),
    line: number('line') ?? (placeLine === undefined ? undefined : Number(placeLine)),
    column: number('column') ?? (placeColumn === undefined ? undefined : Number(placeColumn)),
    reason: text('reason'),
    value: text('value'),
    path: text('path'),
    frame: text('frame'),
    fix: text('fix') ?? (remedy === '' ? undefined : remedy),
  });
}

export function warningJson({ code, what, place, path, frame, fix }: JobWarning): ProblemJson {
  return compact({ code, what, ...place, path, frame: frame === '' ? undefined : frame, fix });
}

type Loose = { readonly [K in keyof ProblemJson]: ProblemJson[K] | undefined };

function compact(problem: Loose): ProblemJson {
  return Object.fromEntries(
    Object.entries(problem).filter(([, value]) => value !== undefined),
  ) as unknown as ProblemJson;
}
