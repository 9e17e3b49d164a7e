// jest reporter: the very last line of a run is `N passed, N failed[, N skipped]`, alone.
// It is written at exit because jest prints its own summary after every reporter has been told.
import { writeSync } from 'node:fs';

export default class PlainSummary {
  onRunComplete(_contexts, results) {
    // A test file that could not run at all counts as one failure.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    const line = `${results.numPassedTests} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}\n`;
    process.once('exit', () => writeSync(1, line));
  }
}
