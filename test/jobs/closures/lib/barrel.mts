export * from './constants.mts';
export * as M from './mappers.mts';
export { makeMapper as mk } from './mappers.mts';
