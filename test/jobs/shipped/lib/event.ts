import type { Codec } from '@millrace/api';

export interface Event {
  readonly kind: 'view' | 'click' | 'buy';
  readonly n: number;
}

/** "kind:n", as a codec with a field that its method needs. */
export class EventCodec implements Codec<Event> {
  private readonly separator: string;

  constructor(separator: string) {
    this.separator = separator;
  }

  decode(bytes: Uint8Array): Event {
    const [kind = '', n = ''] = Buffer.from(bytes).toString().split(this.separator);
    return { kind: kind as Event['kind'], n: Number(n) };
  }

  encode({ kind, n }: Event): Uint8Array {
    return Buffer.from(`${kind}${this.separator}${n}`);
  }
}
