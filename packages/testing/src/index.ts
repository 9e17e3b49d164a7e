/** What tests of jobs need: a broker in this process, the engine in this process, and a clock that tests move. */
export { type DevBroker, type DevBrokerOptions, startDevBroker } from '@millrace/devbroker';
export { type EmbeddedApplication, type EmbedOptions, embed } from '@millrace/local';
export { produce } from './produce.ts';
export { VirtualClock } from './virtual-clock.ts';
