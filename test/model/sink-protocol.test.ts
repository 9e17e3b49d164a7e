import { describe, expect, it } from '@jest/globals';
import { type Mutant, sinkProtocol } from './sink-protocol.ts';
import { explore } from './state-space.ts';

const STATES_MAX = 8_000_000;
const LONG = process.env['MILLRACE_LONG_TESTS'] === '1';

describe('the protocol of the transactional sink', () => {
  it('keeps its promises in every order of events', () => {
    const unknownsMax = LONG ? 3 : 1;
    const { states, counterexample } = explore(sinkProtocol({ unknownsMax }), STATES_MAX);
    expect(counterexample).toBeUndefined();
    expect(states).toBeGreaterThan(10_000);
    if (LONG)
      process.stderr.write(`sink protocol: ${states} states, ${unknownsMax} lost results, no violation\n`);
  }, 3_600_000);

  it.each<Mutant>([
    'progress is read before init',
    'no claim',
    'only later batches are skipped',
    'epochs are not compared',
    'no init after an unknown result',
  ])('breaks one of them with this fault: %s', (mutant) => {
    const { counterexample, states } = explore(sinkProtocol({ mutant, unknownsMax: 1 }), STATES_MAX);
    expect(counterexample).toBeDefined();
    if (LONG)
      process.stderr.write(
        `${mutant}: ${counterexample?.violation} (${states} states)\n  ${counterexample?.trace.join('\n  ')}\n`,
      );
  });
});
