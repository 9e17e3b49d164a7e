/** What `millrace submit` needs, apart from the main entry: capture and revival are for hosts and slots. */

export { bundleJob } from './bundle/bundle-job.ts';
export type { BundleFile, BundleOptions, JobBundle } from './bundle/job-bundle.ts';
export { type JobWarning, warningText } from './errors/job-warning.ts';
