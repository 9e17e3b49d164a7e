import type { Clock, Timer } from '@millrace/common';

/** Tasks that wait for a slot so long are worth a word. */
const NO_SLOT_NOTICE_MS = 10_000;

/** Says that there is no executor. Waiting for one is no failure (it may be on its way), but not a secret either. */
export class SlotWatch {
  readonly #clock: Clock;
  readonly #lacksSlots: () => boolean;
  readonly #notice: (text: string) => void;
  #timer: Timer | undefined;

  constructor(clock: Clock, lacksSlots: () => boolean, notice: (text: string) => void) {
    this.#clock = clock;
    this.#lacksSlots = lacksSlots;
    this.#notice = notice;
  }

  /** While tasks wait or run. Idempotent. */
  watch(): void {
    const look = (): void => {
      this.#timer = undefined;
      if (this.#lacksSlots()) this.#notice('tasks wait: there is no executor; start one');
      this.watch();
    };
    this.#timer ??= this.#clock.schedule(NO_SLOT_NOTICE_MS, look, { unref: true });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
