/** What runs an application: in a host process, or (package local) in the process of whoever embeds it. */
export { ApplicationEngine, type ApplicationEngineOptions } from './application-engine.ts';
export type { ApplicationState } from './application-state.ts';
export { closureShipper } from './load-program.ts';
export { applicationLogFiles, directoryLogFiles, type LogFile, type LogFiles } from './log/log-files.ts';
export { type LoggedBatch, type ReadLog, readLog, recoverLog } from './log/log-reader.ts';
export type { BatchMetrics, LoggedInput, LoggedPosition, PlannedBatch } from './log/log-record.ts';
export { programErrors } from './program-errors.ts';
