import { type Random, randomInt } from '@millrace/common';
import { Zipf } from './zipf.ts';

/** One page view of a shop's web site, as its front end logs it. */
export interface ClickEvent {
  readonly user: string;
  readonly session: string;
  readonly page: string;
  /** Where the visitor came from: a site on the first view of a session, then the page before. */
  readonly referrer: string;
  readonly country: string;
  readonly device: 'phone' | 'desktop' | 'tablet';
  readonly status: number;
  /** Until the page was sent. */
  readonly latencyMs: number;
  /** ms since 1970. */
  readonly at: number;
}

export interface ClickGeneratorOptions {
  readonly random: Random;
  /** Visitors there are; few of them make most of the views. */
  readonly users?: number;
  readonly products?: number;
  /** Sessions under way at once, at most. */
  readonly sessionsMax?: number;
}

interface Visitor {
  readonly user: string;
  readonly country: string;
  readonly device: ClickEvent['device'];
}

interface Session {
  readonly visitor: Visitor;
  readonly id: string;
  page: string;
  views: number;
}

const REFERRERS = [
  'google.com',
  'direct',
  'instagram.com',
  'newsletter',
  'bing.com',
  'partner.example',
] as const;
const COUNTRIES = ['DE', 'US', 'FR', 'GB', 'IN', 'BR', 'JP', 'PL', 'NL', 'SE'] as const;
const DEVICES = ['phone', 'phone', 'phone', 'desktop', 'desktop', 'tablet'] as const;
const CATEGORIES = ['shoes', 'jackets', 'bags', 'watches', 'kids', 'sale'] as const;
/** A session ends after a view with this chance: 5 views on average. */
const LEAVE = 0.2;

/** Realistic clicks: popular users and products (Zipf), sessions that walk through a shop, latencies with a long tail. */
export class ClickGenerator {
  readonly #random: Random;
  readonly #users: Zipf;
  readonly #products: Zipf;
  readonly #referrers = new Zipf(REFERRERS.length, 1);
  readonly #sessionsMax: number;
  readonly #sessions: Session[] = [];
  #started = 0;

  constructor(options: ClickGeneratorOptions) {
    this.#random = options.random;
    this.#users = new Zipf(options.users ?? 5_000, 0.8);
    this.#products = new Zipf(options.products ?? 400, 0.8);
    this.#sessionsMax = options.sessionsMax ?? 300;
  }

  /** The next click of anybody. */
  next(at: number): ClickEvent {
    const index = this.#pickSession();
    const session = this.#sessions[index] ?? this.#open();
    const referrer = session.views === 0 ? this.#referrer() : session.page;
    session.page = session.views === 0 ? this.#landing() : this.#nextPage(session.page);
    session.views += 1;
    if (this.#random.next() < LEAVE) this.#end(session);
    const { user, country, device } = session.visitor;
    const status = this.#status();
    const latencyMs = this.#latencyMs(session.page, status);
    return {
      user,
      session: session.id,
      page: session.page,
      referrer,
      country,
      device,
      status,
      latencyMs,
      at,
    };
  }

  #pickSession(): number {
    // New visitors come while there is room, so that a second's views belong to many sessions.
    const wanted = randomInt(this.#random, this.#sessionsMax);
    return Math.min(wanted, this.#sessions.length);
  }

  #open(): Session {
    const rank = this.#users.next(this.#random);
    // What belongs to a user follows from the user, so that it is the same in every session.
    const visitor: Visitor = {
      user: `user-${String(rank + 1).padStart(5, '0')}`,
      country: COUNTRIES[(rank * 7) % COUNTRIES.length] ?? 'DE',
      device: DEVICES[rank % DEVICES.length] ?? 'phone',
    };
    this.#started += 1;
    const session: Session = {
      visitor,
      id: `s-${this.#started.toString(36)}-${rank.toString(36)}`,
      page: '',
      views: 0,
    };
    this.#sessions.push(session);
    return session;
  }

  #end(session: Session): void {
    const index = this.#sessions.indexOf(session);
    const last = this.#sessions.pop();
    if (last !== undefined && last !== session) this.#sessions[index] = last;
  }

  #landing(): string {
    return this.#random.next() < 0.5 ? '/' : this.#product();
  }

  /** Home → category → product → cart → checkout, with detours. */
  #nextPage(page: string): string {
    const chance = this.#random.next();
    if (page === '/cart') return chance < 0.4 ? '/checkout' : this.#product();
    if (page === '/checkout') return chance < 0.7 ? '/thanks' : '/cart';
    if (page.startsWith('/p/'))
      return chance < 0.15 ? '/cart' : chance < 0.6 ? this.#product() : this.#category();
    if (page.startsWith('/c/')) return chance < 0.75 ? this.#product() : this.#category();
    return chance < 0.1 ? '/search' : chance < 0.6 ? this.#category() : this.#product();
  }

  #product(): string {
    return `/p/${String(this.#products.next(this.#random) + 1).padStart(3, '0')}`;
  }

  #category(): string {
    return `/c/${CATEGORIES[randomInt(this.#random, CATEGORIES.length)] ?? 'sale'}`;
  }

  #referrer(): string {
    return REFERRERS[this.#referrers.next(this.#random)] ?? 'direct';
  }

  #status(): number {
    const chance = this.#random.next();
    return chance < 0.985 ? 200 : chance < 0.995 ? 404 : 500;
  }

  /** Log-normal around 60 ms; search and checkout are slower. */
  #latencyMs(page: string, status: number): number {
    const slow = page === '/search' ? 3 : page === '/checkout' ? 2 : 1;
    const normal =
      Math.sqrt(-2 * Math.log(1 - this.#random.next())) * Math.cos(2 * Math.PI * this.#random.next());
    const failed = status === 500 ? 5 : 1;
    return Math.max(1, Math.round(60 * slow * failed * Math.exp(0.5 * normal)));
  }
}
