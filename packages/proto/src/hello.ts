import { MILLRACE_VERSION, MillraceError, NODE_MAJOR, PROTOCOL_VERSION } from '@millrace/common';
import type { Hello__Output } from './gen/millrace/v1/Hello.ts';

/** What this process says of itself first. */
export function hello(): Hello__Output {
  return { protocol: PROTOCOL_VERSION, nodeMajor: NODE_MAJOR, millraceVersion: MILLRACE_VERSION };
}

/**
 * Refuses a peer that would misread us. `who` names it: "executor e-1 on host-2", "the driver at localhost:7077".
 * @throws MillraceError VERSION_MISMATCH that says who has what and what to do.
 */
export function checkHello(theirs: Hello__Output | null | undefined, who: string): void {
  const mine = hello();
  const given = theirs ?? { protocol: 0, nodeMajor: 0, millraceVersion: 'unknown' };
  const differs: string[] = [];
  if (given.protocol !== mine.protocol)
    differs.push(`it speaks protocol ${given.protocol}, this side ${mine.protocol}`);
  if (given.nodeMajor !== mine.nodeMajor)
    differs.push(`it runs Node ${given.nodeMajor}, this side Node ${mine.nodeMajor}`);
  if (differs.length === 0) return;
  throw new MillraceError(
    'VERSION_MISMATCH',
    `${who} (Millrace ${given.millraceVersion || 'unknown'}) does not fit this side (Millrace ${mine.millraceVersion}): ${differs.join('; ')}`,
    {
      remedy:
        'Run the same Millrace version on the same Node major everywhere: values travel in V8’s format, which is tied to it.',
      details: { theirProtocol: given.protocol, theirNodeMajor: given.nodeMajor },
    },
  );
}
