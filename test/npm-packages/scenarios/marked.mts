import { Lexer, Marked, marked, Parser, Renderer, Tokenizer } from 'marked';

const TEXT = `# Title *em*\n\nA [link](http://x "t") and ![img](i.png), <b>html</b> & \`code\`.\n\n- one\n  1. two\n- [x] done\n\n> quote\n> more\n\n| a | b |\n|:--|--:|\n| 1 | ~~2~~ |\n\n\`\`\`ts\nconst a = '<';\n\`\`\`\n\n---\n\nhttps://auto.link\\\nbreak [ref][r]\n\n[r]: /ref\n`;

class Loud extends Renderer {
  override heading({ tokens, depth }: Parameters<Renderer['heading']>[0]): string {
    return `<h${depth}!>${this.parser.parseInline(tokens).toUpperCase()}</h${depth}!>\n`;
  }
}

export default async function scenario(): Promise<unknown> {
  const own = new Marked({
    renderer: { link: ({ href, text }) => `(${text} → ${href})` },
    extensions: [
      {
        name: 'mention',
        level: 'inline',
        start: (text) => text.indexOf('@'),
        tokenizer(text) {
          const match = /^@(\w+)/.exec(text);
          return match ? { type: 'mention', raw: match[0], user: match[1] } : undefined;
        },
        renderer: (token) => `<i>${String(token['user'])}</i>`,
      },
    ],
  });
  own.use({
    walkTokens: (token) => {
      if (token.type === 'text') token.text = token.text.replace('hi', 'HI');
    },
  });
  return {
    html: marked.parse(TEXT),
    loud: marked.parse('# a *b*', { renderer: new Loud() }),
    own: own.parse('hi @ann [x](y)'),
    async: await own.parse('hi **you**', { async: true }),
    inline: marked.parseInline('*a* `b`'),
    tokens: JSON.parse(JSON.stringify(new Lexer().lex('- a\n- b\n\n1. c'))),
    old: new Lexer({ gfm: false, pedantic: true }).lex('_a_b_').length,
    parsed: Parser.parse(Lexer.lex('*x*')),
    kinds: [typeof Tokenizer, typeof marked.setOptions],
  };
}
