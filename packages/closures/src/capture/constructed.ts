/** Builtins with hidden state that their constructor can repeat: [path of the constructor, arguments]. */
export type Recipe = readonly [path: string, ...args: unknown[]];

interface HasOptions {
  resolvedOptions(): { locale: string };
}

interface HasEncoding {
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
}

const INTL = [
  'NumberFormat',
  'DateTimeFormat',
  'Collator',
  'PluralRules',
  'ListFormat',
  'RelativeTimeFormat',
  'Segmenter',
] as const;

/** How to make another one like `value`, when it is exactly such a builtin. */
export function recipeOf(value: object): Recipe | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === TextEncoder.prototype) return ['TextEncoder'];
  if (prototype === TextDecoder.prototype) {
    const { encoding, fatal, ignoreBOM } = value as HasEncoding;
    return ['TextDecoder', encoding, { fatal, ignoreBOM }];
  }
  if (prototype === URLSearchParams.prototype) {
    return ['URLSearchParams', URLSearchParams.prototype.toString.call(value)];
  }
  const intl = INTL.find((name) => prototype === Intl[name].prototype);
  if (intl === undefined) return undefined;
  const options = (value as HasOptions).resolvedOptions();
  return [`Intl.${intl}`, options.locale, { ...options }];
}
