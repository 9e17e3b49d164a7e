import { contains, type SyntaxNode, type SyntaxTree } from './syntax-tree.ts';
import type { Substitution } from './this-narrowing.ts';

/** `import('…')` with a constant specifier: resolved from its own file, wherever its text is moved. */
export class DynamicImports {
  readonly #found: { readonly literal: SyntaxNode; readonly text: string | undefined }[] = [];

  /** `moved` gives the specifier to write in lifted text, or undefined for a module that must not be loaded there. */
  constructor(tree: SyntaxTree, moved: (specifier: string) => string | undefined) {
    for (const node of tree.nodes) {
      if (node.type !== 'ImportExpression' || node.source.type !== 'Literal') continue;
      const specifier = node.source.value;
      if (typeof specifier === 'string') this.#found.push({ literal: node.source, text: moved(specifier) });
    }
  }

  within(node: SyntaxNode): Substitution[] {
    const substitutions: Substitution[] = [];
    for (const { literal, text } of this.#found) {
      if (text !== undefined && contains(node, literal)) {
        substitutions.push({ start: literal.start, end: literal.end, text: JSON.stringify(text) });
      }
    }
    return substitutions;
  }

  unshippable(node: SyntaxNode): SyntaxNode | undefined {
    return this.#found.find(({ literal, text }) => text === undefined && contains(node, literal))?.literal;
  }
}
