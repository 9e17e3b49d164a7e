export type { ApplicationEvent, BatchSummary } from '@millrace/driver/embedding';
export { type EmbeddedApplication, type EmbedOptions, embed } from './embedded-application.ts';
