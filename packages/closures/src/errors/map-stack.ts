import { originalPositionFor, TraceMap, traceSegment } from '@jridgewell/trace-mapping';
import type { BundleFile } from '../bundle/job-bundle.ts';

/** Source maps by the path of the bundle file that they belong to: `driver.mjs`, `executor/closures.mjs`. */
export interface SourceMaps {
  get(path: string): TraceMap | undefined;
}

const MAP_PATH = /^maps\/(.+)\.map$/;
const PROGRAM_FRAME =
  /(?:file:\/\/)?[^\s()]*?((?:executor\/[\w.@$~+-]+|driver)\.mjs)(?:\?[^\s():]*)?:(\d+):(\d+)/;
const ENGINE_FRAME =
  /node:internal\/|\/(?:@millrace|packages)\/(?:common|proto|kafka|closures|api|driver|executor|local|cli)\/(?:src|dist)\//;

/** Reads the maps of a bundle; each is parsed when it is first needed. */
export function loadSourceMaps(files: readonly BundleFile[]): SourceMaps {
  const contents = new Map<string, Uint8Array>();
  for (const file of files) {
    const path = MAP_PATH.exec(file.path)?.[1];
    if (path !== undefined) contents.set(path, file.content);
  }
  const parsed = new Map<string, TraceMap>();
  return {
    get(path) {
      const known = parsed.get(path);
      const content = contents.get(path);
      if (known !== undefined || content === undefined) return known;
      const map = new TraceMap(new TextDecoder().decode(content));
      parsed.set(path, map);
      return map;
    },
  };
}

/** `stack` with the program's frames moved to the user's sources; frames of the engine and of Node's internals are dropped. */
export function mapStack(stack: string, maps: SourceMaps): string {
  const lines: string[] = [];
  for (const line of stack.split('\n')) {
    if (!/^\s+at /.test(line)) {
      lines.push(line);
      continue;
    }
    const mapped = mapFrame(line, maps);
    if (mapped !== undefined) lines.push(mapped);
    else if (!ENGINE_FRAME.test(line)) lines.push(line);
  }
  return lines.join('\n');
}

/** `text` with every place in the program ("…/driver.mjs:12:3") moved to the user's sources. */
export function mapPlaces(text: string, maps: SourceMaps): string {
  return text.replace(new RegExp(PROGRAM_FRAME, 'g'), (frame) => mapFrame(frame, maps) ?? frame);
}

function mapFrame(line: string, maps: SourceMaps): string | undefined {
  const match = PROGRAM_FRAME.exec(line);
  const [frame, path, lineText, columnText] = match ?? [];
  if (frame === undefined || path === undefined) return undefined;
  const map = maps.get(path);
  if (map === undefined) return undefined;
  const at = { line: Number(lineText), column: Number(columnText) - 1 };
  const original =
    (/^\s+at async /.test(line) ? awaitPosition(map, at) : undefined) ?? originalPositionFor(map, at);
  if (original.source === null) return undefined;
  return line.replace(frame, `${original.source}:${original.line}:${original.column + 1}`);
}

const AWAIT = 'await ';

/**
 * Async frames stand at an `await`. Its mark in the map may belong to another statement: the bundler makes
 * `return await f()` of `const x = await f(); return x`. The mark of what is awaited is its own.
 */
function awaitPosition(
  map: TraceMap,
  { line, column }: { readonly line: number; readonly column: number },
): { source: string; line: number; column: number } | undefined {
  const awaited = column + AWAIT.length;
  if (traceSegment(map, line - 1, awaited)?.[0] !== awaited) return undefined;
  const { source, line: row, column: at } = originalPositionFor(map, { line, column: awaited });
  return source === null ? undefined : { source, line: row, column: Math.max(0, at - AWAIT.length) };
}
