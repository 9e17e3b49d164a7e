export { chunk as pieces } from 'lodash-es';
export * from './connection.mts';
export * from './shapes.mts';
export { default as Anonymous } from './shapes.mts';
