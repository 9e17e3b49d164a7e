/** Fixes in the user's own names; `name` is '' when the value has none. */
export function createThere(name: string): string {
  return name === ''
    ? 'create it on the executor with perExecutor(() => …)'
    : `create it once per executor process:  const ${name} = perExecutor(() => …)   and call ${name}() inside the lambda`;
}

export function buildThere(name: string): string {
  if (name === '') return 'wrap it in an arrow function';
  return `build it on the executor:  const ${name} = perExecutor(() => …)   and call ${name}() inside the lambda`;
}

export function awaitThere(name: string): string {
  if (name === '') return 'await it outside of the lambda';
  return `await it outside of the lambda:  const value = await ${name}   and use value inside`;
}
