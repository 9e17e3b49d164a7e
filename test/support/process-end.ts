import { withDeadline } from '@millrace/common';

/** How long a process may take to end when nothing else says so. */
const END_MS = 60_000;

/** What a process ended with. @throws MillraceError DEADLINE_EXCEEDED when it has not in time. */
export function endOf<T>({ exited }: { readonly exited: Promise<T> }, ms = END_MS): Promise<T> {
  return withDeadline(exited, ms, 'a process that is to end');
}
