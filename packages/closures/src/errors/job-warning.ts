import type { Place } from '../manifest.ts';

/** Every kind of warning that a check gives: the job runs, but hardly as its author means it. `docs/errors.md` lists them. */
export const WARNING_CODES = {
  CAPTURE_LARGE: 'a lambda captures more than 1 MiB, which is sent to every executor that runs it',
  CAPTURE_SECRET:
    'a lambda captures what looks like a secret, which goes over the wire and is kept with the program',
  CAPTURE_FIXED:
    'a lambda captures what was read once, on the driver, from the clock or at random: all its records get the same',
  ENVIRONMENT_AT_LOAD:
    "`process.env` is read at the top level of a module: that is the application host's environment, and nothing says when a variable is missing",
  OUTPUT_LAMBDA:
    'a lambda inside foreachRDD or transform cannot ship; nothing checks it before the first batch fails',
} as const;

export type WarningCode = keyof typeof WARNING_CODES;

/** Plain data: crosses process boundaries. */
export interface JobWarning {
  readonly code: WarningCode;
  /** One line. Never the value itself. */
  readonly what: string;
  readonly place?: Place;
  /** "lambda (job.ts:5) → helper (job.ts:4)", when the value is reached through other closures. */
  readonly path?: string;
  readonly frame: string;
  readonly fix: string;
}

/** As people read it; several lines, without a line break at the end. */
export function warningText({ code, what, path, frame, fix }: JobWarning): string {
  const parts = [
    `${what} [${code}]`,
    path === undefined ? '' : `  reached through: ${path}`,
    frame,
    `  fix: ${fix}`,
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}
