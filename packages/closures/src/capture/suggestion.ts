/** Fixes in the user's own names; `name` is '' when the value has none. */
export function createThere(name: string): string {
  return name === ''
    ? 'create it on the executor with perExecutor(() => …)'
    : `create it once per executor process:  const ${name} = perExecutor(() => …)   and call ${name}() inside the lambda`;
}

export function buildThere(name: string): string {
  if (name === '')
    return 'build it on the executor:  const f = perExecutor(() => …)   and give the operator  (row) => f()(row)';
  return `build it on the executor:  const ${name} = perExecutor(() => …)   and call ${name}() inside the lambda`;
}

export function awaitThere(name: string): string {
  if (name === '') return 'await it outside of the lambda';
  return `await it outside of the lambda:  const value = await ${name}   and use value inside`;
}

/** `seen++`, `total += n`. */
export function countThere(name: string): string {
  return `count with an accumulator:  const ${name} = ssc.accumulator(0)   and ${name}.add(1) inside the lambda`;
}

/** Any other assignment. */
export function keepThere(name: string): string {
  return `return the value from the lambda, or keep one per executor process:  const ${name} = perExecutor(() => ({ value: … }))   and assign to ${name}().value`;
}

/** An iterator. */
export function takeThere(name: string): string {
  return `take what it gives outside of the lambda:  const values = [...${name === '' ? 'it' : name}]   and use values inside`;
}

export function processThere(): string {
  return 'write `process` or `process.env` inside the lambda: there it is that of the executor; of the own environment capture single values';
}

export function asMap(name: string): string {
  return `keep what it has in a Map:  ${name === '' ? '' : `const ${name} = `}new Map([[index, value], …])`;
}

export function registerSymbol(name: string, description: string): string {
  return `register it:  const ${name === '' ? 'mark' : name} = Symbol.for(${JSON.stringify(description)})`;
}
