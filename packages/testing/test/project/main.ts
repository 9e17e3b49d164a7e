// A program of its own: `node --import @millrace/local/register main.ts`.
import { problemsOf, runAll } from './cases.ts';

console.log(JSON.stringify(problemsOf(await runAll())));
