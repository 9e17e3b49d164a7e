import { readdirSync, readFileSync } from 'node:fs';

/** Proportional set size of a process in MB; 0 when it is gone. */
function pssMb(pid: number): number {
  try {
    const match = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
    return Number(match?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** Child processes of a process, all generations. */
export function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const parent = Number(/\) \S (\d+) /.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))?.[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // It ended meanwhile.
    }
  }
  const walk = (parent: number): number[] =>
    (children.get(parent) ?? []).flatMap((child) => [child, ...walk(child)]);
  return walk(pid);
}

/** PSS of a cluster now: the driver alone, its hosts (a warm spare included), the executors with their slots. */
export function clusterMemoryMb(driverPid: number, executorPids: readonly number[]) {
  const total = (pids: readonly number[]): number => pids.reduce((sum, pid) => sum + pssMb(pid), 0);
  return {
    driver: pssMb(driverPid),
    host: total(descendants(driverPid)),
    executors: total(executorPids.flatMap((pid) => [pid, ...descendants(pid)])),
  };
}
