export { type DevBroker, type DevBrokerOptions, startDevBroker } from './dev-broker.ts';
export type {
  FaultAction,
  FaultHooks,
  FaultMatch,
  FaultRule,
  FaultTarget,
  InjectedFault,
} from './faults/fault-hooks.ts';
export type { BrokerApiName } from './protocol/api-keys.ts';
export { BROKER_ERROR, type BrokerErrorCode } from './protocol/broker-error.ts';
