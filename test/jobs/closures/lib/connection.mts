import { Socket } from 'node:net';

export const socket = new Socket();
export const { conn } = { conn: socket };

/** Ships a lambda while what it captures does not exist. */
export function early(ship: (f: () => unknown) => unknown): unknown {
  const lambda = (): unknown => [() => notYet].map((read) => read());
  ship(lambda);
  const notYet = socket;
  return lambda;
}
