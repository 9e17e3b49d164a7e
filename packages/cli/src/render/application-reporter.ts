import { type ErrorRecord, MillraceError } from '@millrace/common';
import type { ApplicationEvent } from '../client/application-event.ts';
import { recordJson, renderError } from '../error-report.ts';
import type { OutputFlags } from '../options/cluster-options.ts';
import type { Terminal } from '../terminal.ts';
import { batchLine } from './batch-line.ts';

/** Shows an application to whoever is attached to it. */
export interface ApplicationReporter {
  event(event: ApplicationEvent): void;
  /** Progress of the command itself. */
  progress(text: string): void;
}

interface TextReporterOptions {
  readonly quiet: boolean;
  readonly verbose: boolean;
}

/** As the flags of a command want it. */
export function reporterOf(
  terminal: Terminal,
  { json = false, quiet = false, verbose = false }: OutputFlags,
): ApplicationReporter {
  return json ? jsonReporter(terminal, { quiet }) : textReporter(terminal, { quiet, verbose });
}

/** For people: what the job prints goes to standard output, everything else to standard error. */
function textReporter(terminal: Terminal, options: TextReporterOptions): ApplicationReporter {
  const progress = (text: string): void => {
    if (!options.quiet) terminal.err(`${text}\n`);
  };
  const report = (record: ErrorRecord): string =>
    renderError(MillraceError.fromRecord(record), terminal, options);
  let batchFailure = '';
  const warning = (text: string): void => terminal.err(`${terminal.style('err', 'yellow', text)}\n`);
  return {
    progress,
    event(event) {
      switch (event.kind) {
        case 'output':
          return event.error ? terminal.err(line(event.text)) : terminal.out(line(event.text));
        case 'batch':
          return progress(batchLine(event.batch, terminal));
        case 'batch-failed': {
          const time = new Date(event.batchTime).toISOString();
          terminal.err(`${terminal.style('err', 'red', '✗')} batch ${time} failed\n`);
          batchFailure = event.error ? report(event.error) : '';
          terminal.err(batchFailure);
          return;
        }
        case 'gap':
          return warning(`… ${event.dropped} events were dropped before they could be shown`);
        case 'notice':
          return event.level === 'info' ? progress(event.text) : warning(`${event.level}: ${event.text}`);
        case 'state': {
          progress(terminal.style('err', 'dim', `${event.application} ${event.state}`));
          const failure = event.error ? report(event.error) : '';
          // What failed the batch mostly failed the application, too: it is said once.
          if (failure !== batchFailure) terminal.err(failure);
          return;
        }
      }
    },
  };
}

function line(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}

/** For programs: every event is one JSON line on standard output. Progress is still for people, on standard error. */
function jsonReporter(terminal: Terminal, options: { readonly quiet: boolean }): ApplicationReporter {
  return {
    progress(text) {
      if (!options.quiet) terminal.err(`${text}\n`);
    },
    event(event) {
      const document =
        'error' in event && typeof event.error === 'object'
          ? { ...event, error: recordJson(event.error) }
          : event;
      terminal.out(`${JSON.stringify({ version: 1, ...document })}\n`);
    },
  };
}
