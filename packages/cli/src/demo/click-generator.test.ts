import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '@millrace/common';
import { type ClickEvent, ClickGenerator } from './click-generator.ts';

function clicks(count: number, seed = 7): ClickEvent[] {
  const generator = new ClickGenerator({ random: seededRandom(seed) });
  return Array.from({ length: count }, (_, index) => generator.next(index));
}

function viewsOf(events: readonly ClickEvent[], key: 'user' | 'page'): number[] {
  const counts = new Map<string, number>();
  for (const event of events) counts.set(event[key], (counts.get(event[key]) ?? 0) + 1);
  return [...counts.values()].toSorted((a, b) => b - a);
}

describe('ClickGenerator', () => {
  it('is the same for the same seed', () => {
    expect(clicks(500)).toEqual(clicks(500));
    expect(clicks(500)).not.toEqual(clicks(500, 8));
  });

  it('has a few users who make far more views than most', () => {
    const views = viewsOf(clicks(50_000), 'user');
    expect(views.length).toBeGreaterThan(1_000);
    expect(views[0]).toBeGreaterThan(20 * (views[Math.floor(views.length / 2)] ?? 0));
  });

  it('walks through sessions: the referrer of a later view is the page before', () => {
    const last = new Map<string, ClickEvent>();
    let continued = 0;
    for (const click of clicks(5_000)) {
      const before = last.get(click.session);
      if (before) {
        continued += 1;
        expect(click.referrer).toBe(before.page);
        expect([click.user, click.country, click.device]).toEqual([
          before.user,
          before.country,
          before.device,
        ]);
      } else expect(click.referrer).not.toMatch(/^\//);
      last.set(click.session, click);
    }
    expect(continued).toBeGreaterThan(2_000);
  });

  it('has latencies with a long tail, all positive', () => {
    const latencies = clicks(20_000)
      .map(({ latencyMs }) => latencyMs)
      .toSorted((a, b) => a - b);
    const [p0 = 0, p50 = 0, p99 = 0] = [0, 0.5, 0.99].map((q) => latencies[Math.floor(q * latencies.length)]);
    expect(p0).toBeGreaterThan(0);
    expect(p99).toBeGreaterThan(2.5 * p50);
  });
});
