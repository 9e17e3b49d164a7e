export let count = 0;
export function countUp() {
  return ++count;
}
