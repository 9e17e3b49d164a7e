import { countThere, keepThere } from '../capture/suggestion.ts';
import { placeText } from '../errors/capture-path.ts';
import { codeFrame } from '../errors/code-frame.ts';
import type { JobWarning } from '../errors/job-warning.ts';
import type { Position } from '../manifest.ts';
import type { EnvironmentRead } from '../transform/environment-reads.ts';
import type { OutputLambda } from '../transform/output-lambdas.ts';
import type { TransformedModule } from '../transform/transform-module.ts';

/** What the sources alone show, before anything is evaluated. */
export function sourceWarnings(
  modules: ReadonlyMap<string, TransformedModule>,
  sources: ReadonlyMap<string, string>,
): JobWarning[] {
  return [...modules].flatMap(([file, { environmentReads, outputLambdas }]) => {
    const source = sources.get(file) ?? '';
    return [
      ...environmentReads.map((read) => environmentWarning(file, source, read)),
      ...outputLambdas.flatMap((lambda) => outputWarnings(source, lambda)),
    ];
  });
}

/** Lambdas that an output operation makes are captured when it runs: this is what can be told before. */
function outputWarnings(source: string, { meta, rdd, operator }: OutputLambda): JobWarning[] {
  const { file, start, writes, refusal, captures } = meta;
  const warning = (why: string, at: Position, length: number, fix: string): JobWarning => ({
    code: 'OUTPUT_LAMBDA',
    what: `lambda at ${placeText(file, start)}, given to ${operator}, will not ship when its batch runs: ${why}`,
    place: { file, line: at.line, column: at.column + 1 },
    frame: codeFrame(source, [{ ...at, length, text: '', isMain: true }]),
    fix,
  });
  const found: JobWarning[] = [];
  if (refusal !== undefined)
    found.push(warning(refusal.reason, refusal.at, refusal.length ?? 1, refusal.fix));
  for (const { name, at, isCount } of writes) {
    if (writes.find((each) => each.name === name)?.at !== at) continue;
    const fix = isCount === true ? countThere(name) : keepThere(name);
    found.push(warning(`it assigns to \`${name}\`, a variable of the driver`, at, name.length, fix));
  }
  const nested = captures.find(({ name }) => name === rdd);
  if (nested !== undefined) {
    const fix = `collect it before the lambda:  const rows = await ${rdd}.collect()   and use rows inside`;
    found.push(warning(`it captures the RDD \`${rdd}\``, nested.at, rdd.length, fix));
  }
  return found;
}

function environmentWarning(file: string, source: string, read: EnvironmentRead): JobWarning {
  const { name, at, length } = read;
  const place = { file, line: at.line, column: at.column + 1 };
  const text = name === '' ? 'process.env' : `process.env.${name}`;
  const quoted = name === '' ? 'NAME' : name;
  return {
    code: 'ENVIRONMENT_AT_LOAD',
    what: `${file}:${place.line}:${place.column}: \`${text}\` is read when the module is loaded, from the environment of the application's host`,
    place,
    frame: codeFrame(source, [{ ...at, length, text: '', isMain: true }]),
    fix: `read it with env('${quoted}') of @millrace/api, and submit with --env ${quoted}=…; for an executor's own environment read ${text} inside the lambda`,
  };
}
