// `node --import @millrace/local/register main.ts`: modules go through Millrace's transform as they are loaded.
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { transformDevModule } from '@millrace/closures/transform';

// Places in errors are those of the source.
process.setSourceMapsEnabled(true);

registerHooks({
  load(url, context, nextLoad) {
    if (!url.startsWith('file:')) return nextLoad(url, context);
    const path = fileURLToPath(url);
    const transformed = transformDevModule(path, readFileSync(path, 'utf8'));
    if (transformed === undefined) return nextLoad(url, context);
    const map = Buffer.from(JSON.stringify(transformed.map)).toString('base64');
    const source = `${transformed.code}\n//# sourceMappingURL=data:application/json;base64,${map}\n`;
    return { format: 'module', source, shortCircuit: true };
  },
});
