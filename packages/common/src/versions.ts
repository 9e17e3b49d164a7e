/** Version of the wire protocol between client, driver, executor and slots. Raised when an old peer would misread a message. */
export const PROTOCOL_VERSION = 1;

/** Major version of this Node: V8's serialization format is tied to it, so peers must agree. */
export const NODE_MAJOR: number = Number(process.versions.node.split('.')[0]);

/** Version of the Millrace packages. */
export const MILLRACE_VERSION = '0.1.0';

/** Whether code that was written for one of these versions of the packages runs with the other (semver: below 1.0 a minor version breaks). */
export function sameApi(a: string, b: string): boolean {
  const parts = (version: string): string =>
    version
      .split('.')
      .slice(0, version.startsWith('0.') ? 2 : 1)
      .join('.');
  return parts(a) === parts(b);
}
