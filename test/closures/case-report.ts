/** What one case of a job of test/jobs/closures gave, as text that shows every difference (-0, holes, undefined). */
export interface CaseReport {
  readonly title: string;
  readonly actual: string;
  readonly expected: string;
}
