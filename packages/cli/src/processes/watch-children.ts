import type { MillraceError } from '@millrace/common';
import type { ChildCommand } from './child-command.ts';

/**
 * Rejects when the processes can no longer do their work: a broker, a driver or a generator ended by itself, or the last executor did.
 * An executor that leaves others behind is only told of: the cluster goes on without it. Never resolves.
 */
export async function watchChildren(
  children: readonly ChildCommand[],
  onExecutorLost: (error: MillraceError) => void,
): Promise<never> {
  const isExecutor = (child: ChildCommand): boolean => child.name.startsWith('executor');
  let executors = children.filter(isExecutor).length;
  const failure = Promise.withResolvers<never>();
  async function watch(child: ChildCommand): Promise<void> {
    await child.exited;
    if (!child.endedEarly) return;
    if (isExecutor(child)) executors -= 1;
    if (isExecutor(child) && executors > 0) onExecutorLost(child.earlyEnd());
    else failure.reject(child.earlyEnd());
  }
  for (const child of children) {
    void watch(child);
  }
  return failure.promise;
}
