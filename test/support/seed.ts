/** Of what a test leaves to chance: MILLRACE_SEED, or another one each time. It is told at once, so that also a failure has said it. */
export function seedOf(test: string): number {
  const seed = Number(process.env['MILLRACE_SEED'] ?? Date.now() % 2 ** 31);
  process.stderr.write(`${test}: seed ${seed} (MILLRACE_SEED)\n`);
  return seed;
}
