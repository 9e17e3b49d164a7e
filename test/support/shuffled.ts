import { type Random, randomInt } from '@millrace/common';

/** The same items in another order. */
export function shuffled<T>(items: readonly T[], random: Random): readonly T[] {
  const rest = [...items];
  return items.flatMap(() => rest.splice(randomInt(random, rest.length), 1));
}
