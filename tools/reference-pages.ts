import { JOB_OPTIONS, STREAM_OPTIONS } from '@millrace/api/internal';
import { WARNING_CODES } from '@millrace/closures';
import { type ConfigSchema, ERROR_CODES } from '@millrace/common';
import { DRIVER_OPTIONS } from '@millrace/driver';
import { EXECUTOR_OPTIONS } from '@millrace/executor';
import { KAFKA_OPTIONS } from '@millrace/kafka';

export interface ReferencePage {
  /** Below the repository's root. */
  readonly path: string;
  readonly text: string;
}

/** The pages that are made from data in the code: they cannot be out of date without a test failing. */
export function referencePages(): readonly ReferencePage[] {
  return [
    { path: 'docs/errors.md', text: errorsPage() },
    { path: 'docs/configuration.md', text: configurationPage() },
  ];
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function errorsPage(): string {
  const rows = Object.entries(ERROR_CODES).map(
    ([code, { domain, retryable, summary }]) =>
      `| \`${code}\` | ${domain} | ${retryable ? 'yes' : 'no'} | ${cell(summary)} |`,
  );
  const warnings = Object.entries(WARNING_CODES).map(
    ([code, summary]) => `| \`${code}\` | ${cell(summary)} |`,
  );
  return `# Error codes

<!-- Made by \`pnpm docs:generate\` from packages/common/src/error-codes.ts and packages/closures/src/errors/job-warning.ts. -->

Every error of Millrace says what happened, where, and what to do, and ends in its code. *Domain* says who can mend it: the
*user* (code, data, configuration), something *external* (Kafka, disk, network), or Millrace (*internal*: report it).
*Retryable* says whether the same attempt may succeed when it is made again unchanged; a single error may say otherwise.

| code | domain | retryable | meaning |
|---|---|---|---|
${rows.join('\n')}

## Warnings

\`millrace check\` and \`submit\` show them, each with its place and a fix; a job with warnings runs. See [lambdas](lambdas.md#what-is-accepted-with-a-warning).

| code | meaning |
|---|---|
${warnings.join('\n')}
`;
}

const SECTIONS: ReadonlyArray<{
  readonly title: string;
  readonly intro: string;
  readonly schema: ConfigSchema;
}> = [
  { title: 'Job', intro: 'Given to `defineJob`; `submit --conf key=value` overrides.', schema: JOB_OPTIONS },
  {
    title: 'Stream',
    intro: 'Given to a consumer strategy, beside the options of the Kafka client below.',
    schema: STREAM_OPTIONS,
  },
  { title: 'Kafka client', intro: 'Given to a consumer strategy, or to `createRDD`.', schema: KAFKA_OPTIONS },
  {
    title: 'Driver',
    intro:
      'Flags of `millrace driver` (`stateDir` is `--state-dir`, by default `.millrace/driver`) and `MILLRACE_*` variables (`MILLRACE_STATE_DIR`; for `host` `MILLRACE_DRIVER_HOST`); a flag wins. The token may also come from `--token-file`; TLS from the PEM files `--tls-cert`, `--tls-key` and `--tls-ca`.',
    schema: DRIVER_OPTIONS,
  },
  {
    title: 'Executor',
    intro:
      'Flags of `millrace executor` and `MILLRACE_*` variables, as for the driver (for `host` `MILLRACE_EXECUTOR_HOST`).',
    schema: EXECUTOR_OPTIONS,
  },
];

function configurationPage(): string {
  const sections = SECTIONS.map(({ title, intro, schema }) => {
    const rows = Object.entries(schema).map(([key, entry]) => {
      const known = Object.hasOwn(entry, 'default') ? shown(entry.default) : '*required*';
      const fallback = entry.defaultText ?? known;
      return `| \`${key}\` | ${entry.unit ?? ''} | ${fallback} | ${cell(entry.doc)} |`;
    });
    return `## ${title}\n\n${intro}\n\n| key | unit | default | meaning |\n|---|---|---|---|\n${rows.join('\n')}\n`;
  });
  return `# Configuration

<!-- Made by \`pnpm docs:generate\` from the configuration entries in the code. -->

Durations are milliseconds or texts such as \`'250ms'\`, \`'1s'\`, \`'5m'\`. An unknown key is an error that names the nearest one.

${sections.join('\n')}`;
}

function shown(value: unknown): string {
  if (value === undefined) return '';
  if (value === Number.POSITIVE_INFINITY) return 'unlimited';
  if (value instanceof Map) return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}
