import type { Body, Expression, RandomProgram, Statement } from './random-program.ts';

/** Names that are visible at a place, innermost last. */
interface Scope {
  readonly names: readonly string[];
  /** May be assigned: declared with let or var in the function at hand or in one that encloses it, but not outside of all. */
  readonly assignable: readonly string[];
  readonly classes: readonly string[];
}

/** Writes a random program as JavaScript. Every call costs fuel; without any it is not made, so that the program ends. */
export class ProgramText {
  readonly #prefix: string;
  #names = 0;

  constructor(number: number) {
    this.#prefix = `_${number}`;
  }

  module({ top, build, lambda }: RandomProgram): string {
    const empty: Scope = { names: [], assignable: [], classes: [] };
    const [topText, outer] = this.#statements(top, { ...empty }, 'top');
    const [buildText, inner] = this.#statements(build, { ...outer, assignable: [] }, 'build');
    return [
      'const left = () => --globalThis.fuel >= 0;',
      'const tag = (strings, ...values) => strings.raw.length + values.length;',
      topText,
      'export function build() {',
      buildText,
      `return ${this.#arrow(lambda, inner, 0)};`,
      '}',
      '',
    ].join('\n');
  }

  #fresh(kind: string): string {
    return `${kind}${this.#names++}${this.#prefix}`;
  }

  /** A new name, or sometimes one that hides another. */
  #declared(kind: string, scope: Scope, shadows: number, own: ReadonlySet<string>): string {
    const candidate = scope.names[scope.names.length - 1 - shadows];
    // The `var` of a loop would leave the block that hides it.
    const canHide = candidate !== undefined && !own.has(candidate) && !candidate.startsWith('i');
    return shadows < 4 && canHide ? candidate : this.#fresh(kind);
  }

  #statements(
    list: readonly Statement[],
    scope: Scope,
    where: string,
    declared: readonly string[] = [],
  ): [string, Scope] {
    const own = new Set<string>(declared);
    let at = scope;
    const lines: string[] = [];
    for (const statement of list) {
      const [line, next] = this.#statement(statement, at, own, where);
      lines.push(line);
      at = next;
    }
    return [lines.join('\n'), at];
  }

  #block(list: readonly Statement[], scope: Scope): string {
    return `{\n${this.#statements(list, scope, 'block')[0]}\n}`;
  }

  #statement(statement: Statement, scope: Scope, own: Set<string>, where: string): [string, Scope] {
    const add = (name: string, isAssignable = false, isClass = false): Scope => {
      own.add(name);
      return {
        names: [...scope.names.filter((known) => known !== name), name],
        assignable: isAssignable
          ? [...scope.assignable, name]
          : scope.assignable.filter((known) => known !== name),
        classes: isClass ? [...scope.classes, name] : scope.classes.filter((known) => known !== name),
      };
    };
    switch (statement.kind) {
      case 'declare': {
        // A `var` of a block would be one with what the function declares.
        const how = statement.how === 'var' && where === 'block' ? 'let' : statement.how;
        const name = how === 'var' ? this.#fresh('v') : this.#declared('v', scope, statement.shadows, own);
        const value = this.#expression(statement.value, {
          ...scope,
          names: scope.names.filter((n) => n !== name),
        });
        // Before it the name would seem to be the outer one, which may be assigned; the bundler refuses that for a const.
        const word = scope.names.includes(name) ? 'let' : how;
        return [`${word} ${name} = ${value};`, add(name, word !== 'const')];
      }
      case 'destructure': {
        const name = this.#fresh('d');
        const value = this.#expression(statement.value, scope);
        const text = `const { a: ${name} = ${this.#expression(statement.otherwise, scope)} } = Object(${value});`;
        return [text, add(name)];
      }
      case 'function': {
        const name = this.#declared('f', scope, statement.shadows, own);
        const next = add(name);
        return [`function ${name}${this.#function(statement.body, next)}`, next];
      }
      case 'class':
        return this.#class(statement, scope, add, where === 'top');
      case 'assign': {
        const name = chosen(scope.assignable, statement.pick);
        const value = this.#expression(statement.value, scope);
        return [name === undefined ? `void (${value});` : `${name} = ${value};`, scope];
      }
      case 'put': {
        const name = chosen(scope.names, statement.pick);
        const value = this.#expression(statement.value, scope);
        const text = `if (typeof ${name} === 'object' && ${name} !== null) ${name}.a = ${value};`;
        return [name === undefined ? ';' : text, scope];
      }
      case 'if': {
        const test = this.#expression(statement.test, scope);
        return [
          `if (${test}) ${this.#block(statement.yes, scope)} else ${this.#block(statement.no, scope)}`,
          scope,
        ];
      }
      case 'loop':
        return this.#loop(statement, scope);
      case 'try': {
        const name = this.#fresh('e');
        const caught = { ...scope, names: [...scope.names] };
        return [
          `try ${this.#block(statement.body, scope)} catch (${name}) ${this.#block(statement.caught, caught)}`,
          scope,
        ];
      }
      case 'block':
        return [this.#block(statement.body, scope), scope];
    }
  }

  #loop(statement: Extract<Statement, { kind: 'loop' }>, scope: Scope): [string, Scope] {
    const name = this.#fresh('i');
    const inside = { ...scope, names: [...scope.names, name] };
    const body = this.#block(statement.body, inside);
    const head =
      statement.of === 'of'
        ? `const ${name} of [1, 2]`
        : `${statement.of} ${name} = 0; ${name} < 2; ${name}++`;
    return [`for (${head}) ${body}`, statement.of === 'var' ? inside : scope];
  }

  #class(
    { heir, field, method, fixed }: Extract<Statement, { kind: 'class' }>,
    scope: Scope,
    add: (name: string, isAssignable: boolean, isClass: boolean) => Scope,
    isTop: boolean,
  ): [string, Scope] {
    const name = this.#fresh('C');
    const base = heir === null ? undefined : chosen(scope.classes, heir);
    const next = add(name, false, true);
    const run = this.#method('run', method, next, base === undefined);
    const text = `class ${name}${base === undefined ? '' : ` extends ${base}`} {
a = ${this.#expression(field, next)};
static fixed = ${isTop ? '{ a: 1 }' : this.#expression(fixed, scope)};
static #hidden = ${isTop ? '0' : this.#expression(fixed, scope)};
static hidden(next) { const before = ${name}.#hidden; if (next !== undefined) ${name}.#hidden = next; return before; }
${run}
}`;
    return [text, next];
  }

  /** Also through `this` and `super`. */
  #method(name: string, body: Body, scope: Scope, isRoot: boolean): string {
    const extra = isRoot ? 'const self = () => this?.a; void self();' : 'void super.run;';
    return `${name}${this.#function(body, scope, extra)}`;
  }

  #arrow(body: Body, scope: Scope, shadows: number): string {
    const { parameters, own, text } = this.#parameters(body, scope, shadows);
    return `((${text}) => ${this.#bodyText(body, parameters, own, '')})`;
  }

  #function(body: Body, scope: Scope, first = ''): string {
    const { parameters, own, text } = this.#parameters(body, scope, 9);
    return `(${text}) ${this.#bodyText(body, parameters, own, first)}`;
  }

  #bodyText({ statements, result }: Body, scope: Scope, own: readonly string[], first: string): string {
    const [text, inner] = this.#statements(statements, scope, 'function', own);
    return `{ ${first}\n${text}\nreturn ${this.#expression(result, inner)};\n}`;
  }

  #parameters(
    body: Body,
    scope: Scope,
    shadows: number,
  ): { parameters: Scope; own: readonly string[]; text: string } {
    const names: string[] = [];
    const texts: string[] = [];
    for (let i = 0; i < body.parameters; i++) {
      const hidden = i === 0 ? scope.names[scope.names.length - 1 - shadows] : undefined;
      const name = shadows < 4 && hidden !== undefined ? hidden : this.#fresh('p');
      const visible = { ...scope, names: [...scope.names.filter((n) => n !== name), ...names] };
      const byDefault =
        i === 1 && body.byDefault !== null ? ` = ${this.#expression(body.byDefault, visible)}` : '';
      names.push(name);
      texts.push(`${name}${byDefault}`);
    }
    const parameters: Scope = {
      names: [...scope.names.filter((n) => !names.includes(n)), ...names],
      assignable: [...scope.assignable.filter((n) => !names.includes(n)), ...names],
      classes: scope.classes.filter((n) => !names.includes(n)),
    };
    return { parameters, own: names, text: texts.join(', ') };
  }

  #expression(expression: Expression, scope: Scope): string {
    const inner = (part: Expression): string => this.#expression(part, scope);
    switch (expression.kind) {
      case 'number':
        return `(${expression.value})`;
      case 'variable':
        return chosen(scope.names, expression.pick) ?? '0';
      case 'member': {
        const name = chosen(scope.names, expression.pick);
        return name === undefined ? '1' : `${name}?.${expression.name}`;
      }
      case 'binary':
        return `(${inner(expression.left)}) ${expression.operator} (${inner(expression.right)})`;
      case 'call': {
        const name = chosen(
          scope.names.filter((n) => !n.startsWith('C')),
          expression.pick,
        );
        const args = expression.args.map(inner).join(', ');
        return name === undefined
          ? '2'
          : `(typeof ${name} === 'function' && left() ? ${name}(${args}) : ${name})`;
      }
      case 'hidden': {
        const name = chosen(scope.classes, expression.pick);
        return name === undefined ? '4' : `(left() ? ${name}.hidden(${inner(expression.arg)}) : 4)`;
      }
      case 'generator': {
        const values = expression.values.map((value) => `yield ${inner(value)};`).join(' ');
        return `[...(function* () { ${values} })()]`;
      }
      case 'tagged':
        return `tag\`${expression.values.map((value) => `\${${inner(value)}}`).join('\\n')}\``;
      case 'async':
        return `(async () => { await 0; return ${inner(expression.arg)}; }).constructor.name`;
      case 'arrow':
        return this.#arrow(expression.body, scope, expression.shadows);
      case 'object': {
        const method = expression.method === null ? '' : `run${this.#function(expression.method, scope)}, `;
        return `({ ${method}${expression.values.map((value, i) => `${'ab'[i]}: ${inner(value)}`).join(', ')} })`;
      }
      case 'array':
        return `[${expression.values.map(inner).join(', ')}]`;
      case 'choice':
        return `((${inner(expression.test)}) ? (${inner(expression.yes)}) : (${inner(expression.no)}))`;
      case 'new': {
        const name = chosen(scope.classes, expression.pick);
        return name === undefined
          ? inner(expression.arg)
          : `(left() ? new ${name}(${inner(expression.arg)}) : 5)`;
      }
      case 'bind': {
        const name = chosen(scope.names, expression.pick);
        const target =
          name === undefined ? '(() => 3)' : `(typeof ${name} === 'function' ? ${name} : () => 3)`;
        return `${target}.bind(null, ${inner(expression.arg)})`;
      }
      case 'template':
        return `\`t${expression.values.map((value) => `\${typeof (${inner(value)})}`).join('')}\``;
    }
  }
}

function chosen(names: readonly string[], pick: number): string | undefined {
  return names.length === 0 ? undefined : names[names.length - 1 - (pick % names.length)];
}
