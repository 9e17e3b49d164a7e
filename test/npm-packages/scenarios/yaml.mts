import {
  Document,
  isMap,
  isScalar,
  LineCounter,
  parse,
  parseAllDocuments,
  parseDocument,
  Scalar,
  stringify,
  visit,
  YAMLMap,
  YAMLParseError,
} from 'yaml';

const TEXT = `# head
base: &base { a: 1, b: [x, "y\\n", 'z''z'] }
derived: { <<: *base, b: 2 }
text: |
  one
    two

folded: >-
  a
  b

  c
dates: [2026-01-02, 0x1f, 1_000, .inf, ~, yes, !!str 5]
? complex key
: - 1
  - - 2
    - {k: v}
set: !!set { p, q }
`;

class Temperature {
  readonly degrees: number;

  constructor(degrees: number) {
    this.degrees = degrees;
  }
}

const temperature = {
  tag: '!temp',
  identify: (value: unknown) => value instanceof Temperature,
  resolve: (text: string) => new Temperature(Number(text.slice(0, -1))),
  stringify: (item: { value: unknown }) => `${(item.value as Temperature).degrees}C`,
};

export default function scenario(): unknown {
  const document = parseDocument(TEXT, { merge: true });
  const keys: unknown[] = [];
  visit(document, {
    Pair: (_key, pair) => void keys.push(isScalar(pair.key) ? String(pair.key.value) : '?'),
  });
  document.set('added', new Map([['k', [1, { deep: true }]]]));
  document.commentBefore = ' changed';
  (document.get('derived') as YAMLMap).delete('b');
  const lines = new LineCounter();
  const broken = parseDocument('a: [1\nb: }\n"c', { lineCounter: lines });
  return {
    value: JSON.parse(JSON.stringify(parse(TEXT, { merge: true }))),
    core: parse('a: 0o17\nb: 1e3\nc: off', { version: '1.1' }),
    text: String(document),
    keys,
    kinds: [isMap(document.contents), document.contents instanceof YAMLMap, new Scalar(1).value],
    errors: broken.errors.map((error) => [
      error instanceof YAMLParseError,
      error.code,
      error.message,
      error.pos,
    ]),
    warnings: document.warnings.length,
    all: parseAllDocuments('---\na: 1\n...\n---\n- b\n').map((each) => each.toJS()),
    custom: stringify({ t: new Temperature(21) }, { customTags: [temperature] }),
    back:
      (parse('t: !temp 5C', { customTags: [temperature] }) as { t: Temperature }).t instanceof Temperature,
    styles: stringify(
      { s: 'a: b', long: 'x '.repeat(60), n: [1, [2]], e: {}, m: 'l1\nl2\n', z: null },
      { lineWidth: 40, singleQuote: true },
    ),
    made: new Document({ a: [1, 2], b: undefined }).toString({ flowCollectionPadding: false }),
    aliases: (() => {
      const shared = { x: 1 };
      return stringify([shared, shared]);
    })(),
  };
}
