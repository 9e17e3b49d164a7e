/** What a child process tells the command that started it, once: it is up, and where. */
export interface Ready {
  readonly kind: 'ready';
  /** host:port, or a bootstrap list. */
  readonly address: string;
}

/** Tells the parent command, when there is one. */
export function announceReady(address: string): void {
  if (process.send === undefined || !process.connected) return;
  const message: Ready = { kind: 'ready', address };
  // A parent that is gone is noticed by its disconnect.
  process.send(message, undefined, undefined, () => undefined);
}

export function isReady(message: unknown): message is Ready {
  const candidate = message as Partial<Ready> | null;
  return candidate?.kind === 'ready' && typeof candidate.address === 'string';
}
