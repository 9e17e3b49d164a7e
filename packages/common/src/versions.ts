/** Version of the wire protocol between client, driver, executor and slots. Raised when an old peer would misread a message. */
export const PROTOCOL_VERSION = 1;

/** Major version of this Node: V8's serialization format is tied to it, so peers must agree. */
export const NODE_MAJOR: number = Number(process.versions.node.split('.')[0]);

/** Version of the Millrace packages. */
export const MILLRACE_VERSION = '0.1.0';
