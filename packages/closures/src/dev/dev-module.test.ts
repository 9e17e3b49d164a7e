import { execFile } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

// rolldown's native part does not take objects of jest's realm: what is tested runs in a process of its own.
let dir: string;

beforeAll(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-dev-')));
  writeFileSync(join(dir, 'package.json'), '{ "name": "mine" }');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Writes the files and transforms `file`; gives its code, or the message of what was thrown. */
async function transformed(file: string, files: Readonly<Record<string, string>>): Promise<string> {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  const entry = new URL('../transform.ts', import.meta.url).href;
  const script = `import { devModuleKey, transformDevModule } from ${JSON.stringify(entry)};
import { readFileSync } from 'node:fs';
const path = ${JSON.stringify(join(dir, file))};
const text = readFileSync(path, 'utf8');
let result;
try { result = transformDevModule(path, text)?.code ?? 'not transformed'; } catch (error) { result = error.message; }
console.log(result + '\\n// key: ' + devModuleKey(path, text));`;
  const args = ['--conditions=@millrace/source', '--input-type=module', '--eval', script];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, (error, stdout) => (error ? reject(error) : resolve(stdout)));
  });
}

describe('the transform of one file', () => {
  it('tags closures, registers lifted text, and keeps the first line of a script', async () => {
    const code = await transformed('a.ts', {
      'a.ts':
        "#!/usr/bin/env node\nimport ms from 'node:os';\nexport const f = (x: number) => [x, ms.EOL];\n",
    });
    const [shebang, head = '', ...rest] = code.split('\n');
    expect(shebang).toBe('#!/usr/bin/env node');
    expect(head).toMatch(/^import \{ \$register as \$millraceDev \} from ".*runtime\.ts";\$millraceDev\(\{/);
    expect(head).toContain('() => import("node:os").then((m) => ({ v: m["default"] }))');
    expect(rest.join('\n')).toMatch(/const f = .*\.c\(/);
  });

  it('loads by reference what begins with use executor, whose own text stays', async () => {
    const files = {
      'state.ts': "'use executor';\nexport const n: number = 1;\n",
      'b.ts': "import { n } from './state.js';\nexport const f = () => n;\n",
    };
    expect(await transformed('b.ts', files)).toContain('() => import("./state.js")');
    const own = await transformed('state.ts', files);
    expect(own).toContain('const n = 1');
    expect(own).not.toContain('$millrace');
  });

  it('has another key for caches when an import changes its kind', async () => {
    const text = "import { n } from './kind.ts';\nexport const f = () => n;\n";
    const before = await transformed('c.ts', { 'c.ts': text, 'kind.ts': 'export const n = 1;' });
    const after = await transformed('c.ts', {
      'c.ts': text,
      'kind.ts': "'use executor';\nexport const n = 1;",
    });
    expect(before).toContain('// key: ./kind.ts false');
    expect(after).toContain('// key: ./kind.ts true');
  });

  it('leaves alone what is not the author\u2019s', async () => {
    expect(await transformed('d.cts', { 'd.cts': 'module.exports = 1' })).toContain('not transformed');
  });

  it('shows where the syntax is wrong', async () => {
    const message = await transformed('e.ts', { 'e.ts': 'const a = 1;\nlet = = 2;\n' });
    expect(message).toMatch(/^e\.ts:2:\d+: [\s\S]*> 2 \| let = = 2;[\s\S]*BUNDLE_FAILED/);
  });
});
