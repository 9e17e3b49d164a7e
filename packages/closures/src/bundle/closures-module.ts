import { addSegment, GenMapping, toEncodedMap } from '@jridgewell/gen-mapping';
import type { EncodedSourceMap } from '@jridgewell/trace-mapping';
import type { LiftedFactory } from '../transform/lifted-factory.ts';
import { freshName } from '../transform/this-narrowing.ts';
import type { TransformedModule } from '../transform/transform-module.ts';

/** Writes text and, as it goes, the map of where each piece came from. */
class MappedText {
  readonly map = new GenMapping();
  readonly #parts: string[] = [];
  #line = 0;
  #column = 0;

  write(text: string): void {
    this.#parts.push(text);
    const lastBreak = text.lastIndexOf('\n');
    if (lastBreak === -1) {
      this.#column += text.length;
      return;
    }
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.#line++;
    this.#column = text.length - lastBreak - 1;
  }

  mark(file: string, position: { line: number; column: number }): void {
    addSegment(this.map, this.#line, this.#column, file, position.line - 1, position.column);
  }

  toString(): string {
    return this.#parts.join('');
  }
}

/**
 * The entry of the executor bundle: `{ factories, imports }`. It declares no name at all, so that a lifted text can never
 * see one by accident.
 */
export function closuresModule(
  modules: ReadonlyMap<string, TransformedModule>,
  sideEffects: readonly string[],
): { code: string; map: EncodedSourceMap } {
  const text = new MappedText();
  for (const specifier of sideEffects) text.write(`import ${JSON.stringify(specifier)};\n`);
  text.write('export default {\nfactories: {\n');
  const keys = new Set<string>();
  for (const [file, module] of modules) {
    for (const { key } of module.imports) keys.add(key);
    for (const factory of module.factories) writeFactory(text, file, module, factory);
  }
  text.write('},\nimports: {\n');
  for (const key of keys) {
    text.write(`${JSON.stringify(key)}: () => import(${JSON.stringify(`millrace-import:${key}`)}),\n`);
  }
  text.write('},\n};\n');
  return { code: text.toString(), map: toEncodedMap(text.map) as EncodedSourceMap };
}

function writeFactory(
  text: MappedText,
  file: string,
  module: TransformedModule,
  factory: LiftedFactory,
): void {
  const imported = factory.imports.map(({ parameter }) => parameter);
  text.write(`${JSON.stringify(factory.id)}: {\n`);
  if (imported.length > 0) text.write(`imports: ${JSON.stringify(factory.imports.map(({ key }) => key))},\n`);
  if (factory.isClass && factory.eager.length > 0) text.write(`eager: ${JSON.stringify(factory.eager)},\n`);
  if (factory.privates > 0) text.write(`privates: ${factory.privates},\n`);
  if (factory.isSingleClass) text.write('single: true,\n');
  // `function`: an arrow's `this` is handed in by the call.
  text.write(`make: function (${[...imported, ...factory.parameters].join(', ')}) { `);
  writeBody(text, file, module, factory, 'return ', '');
  text.write(' },\n');
  if (factory.isTieable && factory.parameters.length > 0) writeTieable(text, file, module, factory, imported);
  text.write('},\n');
}

/** For cycles: the captured variables are set after the closure exists. A class is made by a call of its own, between. */
function writeTieable(
  text: MappedText,
  file: string,
  module: TransformedModule,
  factory: LiftedFactory,
  imported: readonly string[],
): void {
  const all = factory.parameters.join(', ');
  const value = freshName(`${all},${imported.join(',')},${factory.selfName ?? ''}`, '$values');
  const tie = `(${value}) => { [${all}] = ${value}; }`;
  text.write(`tie: function (${imported.join(', ')}) { let ${all}; `);
  if (factory.isClass) {
    text.write('return [() => { ');
    writeBody(text, file, module, factory, 'return ', '');
    text.write(` }, ${tie}];`);
  } else {
    writeBody(text, file, module, factory, 'return [', `, ${tie}]`);
  }
  text.write(' },\n');
}

function writeBody(
  text: MappedText,
  file: string,
  module: TransformedModule,
  factory: LiftedFactory,
  before: string,
  after: string,
): void {
  const { selfName } = factory;
  text.write(selfName === undefined ? before : `const ${selfName} = `);
  text.write(factory.before);
  writePieces(text, file, module, factory);
  text.write(factory.after);
  text.write(selfName === undefined ? `${after};` : `; ${before}${selfName}${after};`);
}

function writePieces(
  text: MappedText,
  file: string,
  module: TransformedModule,
  factory: LiftedFactory,
): void {
  for (const piece of factory.pieces) {
    if (!piece.isVerbatim) {
      text.mark(file, module.original(piece.offset));
      text.write(piece.text);
      continue;
    }
    let written = 0;
    for (let i = firstAtOrAfter(module.nodeStarts, piece.offset); i < module.nodeStarts.length; i++) {
      const start = module.nodeStarts[i] ?? 0;
      if (start >= piece.offset + piece.text.length) break;
      text.write(piece.text.slice(written, start - piece.offset));
      written = start - piece.offset;
      text.mark(file, module.original(start));
    }
    text.write(piece.text.slice(written));
  }
}

function firstAtOrAfter(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
