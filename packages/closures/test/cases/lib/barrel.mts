export * from './constants.mts';
export * as M from './mappers.mts';
export { default as plus, makeMapper as mk } from './mappers.mts';
