import { expect, it } from '@jest/globals';
import { newer, type Version } from './customers.ts';
import { enriched } from './orders.ts';

const ANN = { name: 'Ann', country: 'de' };

it('goes by the newest version of a customer, in whatever order versions meet', () => {
  const first: Version = { offset: 9, customer: ANN };
  const deleted: Version = { offset: 10, customer: null };
  expect(newer(first, deleted)).toBe(deleted);
  expect(newer(deleted, first)).toBe(deleted);
});

it('leaves no order out', () => {
  const order = { id: '1', customer: 'c1', cents: 250 };
  expect(enriched(order, ANN)).toEqual({ id: '1', customer: 'c1', cents: 250, name: 'Ann', country: 'de' });
  expect(enriched(order, undefined)).toEqual({
    id: '1',
    customer: 'c1',
    cents: 250,
    name: null,
    country: null,
  });
});
