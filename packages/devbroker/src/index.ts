export { type DevBroker, type DevBrokerOptions, startDevBroker } from './dev-broker.ts';
export type {
  FaultAction,
  FaultHooks,
  FaultMatch,
  FaultRule,
  FaultTarget,
  InjectedFault,
} from './faults/fault-hooks.ts';
