import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** TCP connections that a process has open to this port. */
export function socketsTo(pid: number, port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set(
    ['tcp', 'tcp6']
      .flatMap((table) => readFileSync(`/proc/${pid}/net/${table}`, 'utf8').split('\n').slice(1))
      .map((line) => line.trim().split(/\s+/))
      // sl local remote state …: 01 is ESTABLISHED.
      .filter(([, , remote, state]) => remote?.endsWith(`:${hex}`) === true && state === '01')
      .map((fields) => `socket:[${fields[9]}]`),
  );
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
      return inodes.has(readlinkSync(`/proc/${pid}/fd/${fd}`));
    } catch {
      return false; // closed meanwhile
    }
  }).length;
}
