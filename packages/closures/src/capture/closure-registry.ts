import type { ClosureMeta, ImportMeta, JobManifest } from '../manifest.ts';

const metas = new Map<string, ClosureMeta>();
const imports = new Map<string, ImportMeta>();
const sources = new Map<string, string>();

/** Makes the closures and sources of a job known to this process, for captures and their code frames. */
export function loadManifest(manifest: JobManifest): void {
  for (const meta of manifest.closures) metas.set(meta.id, meta);
  for (const entry of manifest.imports) imports.set(entry.key, entry);
  for (const [file, text] of Object.entries(manifest.sources)) sources.set(file, text);
}

export function closureMeta(id: string): ClosureMeta | undefined {
  return metas.get(id);
}

export function sourceText(file: string): string | undefined {
  return sources.get(file);
}

export function importMeta(key: string): ImportMeta | undefined {
  return imports.get(key);
}
