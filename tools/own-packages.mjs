// Lets a program outside of this repository import its packages by name, as `millrace submit` does for jobs.
import { registerHooks } from 'node:module';

const HERE = new URL('../package.json', import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    try {
      return next(specifier, context);
    } catch (error) {
      if (!specifier.startsWith('@millrace/')) throw error;
      return next(specifier, { ...context, parentURL: HERE });
    }
  },
});
