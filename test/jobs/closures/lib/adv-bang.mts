#!/usr/bin/env node
/* first */
export const bang = (x: number) => [x, helper()];
function helper() {
  return 'bang';
}
