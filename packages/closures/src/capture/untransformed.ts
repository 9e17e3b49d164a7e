import type { CaptureProblem } from './graph-node.ts';
import { buildThere } from './suggestion.ts';

const METHOD = /^(?:async\s*)?\*?\s*(\[[^\]]*\]|[\w$]+)\s*\(/;
const NO_METHOD = /^(?:async\s+)?(?:function|class)\b/;
const KEY_MAX = 40;

/** Why a function without a tag cannot be shipped: of the author's own code only methods of a certain kind have none. */
export function untransformedProblem(fn: object, isRoot: boolean): CaptureProblem {
  const text = Function.prototype.toString.call(fn);
  const key = NO_METHOD.test(text) ? undefined : METHOD.exec(text)?.[1];
  if (key !== undefined && /\bsuper\b\s*[.[]/.test(text)) {
    const name = key.startsWith('[') ? 'the method' : `${key}()`;
    return {
      code: 'CLOSURE_NOT_SHIPPABLE',
      reason: 'it is a method of an object that uses `super`, and cannot take its object along',
      fix: `make ${name} a method of a class, or call what \`super\` means by its own name`,
    };
  }
  if (key?.startsWith('[') === true && key.length <= KEY_MAX) {
    return {
      code: 'CLOSURE_NOT_SHIPPABLE',
      reason: `it is a method with the computed key ${key}`,
      fix: `write it as a property:  ${key}: (…) => …`,
    };
  }
  return {
    code: isRoot ? 'CLOSURE_UNTRANSFORMED' : 'CLOSURE_CAPTURE',
    reason: text.includes('[native code]')
      ? 'it is a native or bound function created at run time'
      : 'it was created inside an npm package (or by eval), so its code and variables are not known to the submitter',
    fix: buildThere,
  };
}
