import ms from './units.ts';

export const Currency = { Euro: 'EUR' } as const;

export class Price {
  readonly cents: number;

  constructor(cents: number) {
    this.cents = cents;
  }

  format(): string {
    return `${(this.cents / 100).toFixed(2)} ${Currency.Euro}`;
  }
}

export const inMinutes = (milliseconds: number): number => milliseconds / ms.minute;
