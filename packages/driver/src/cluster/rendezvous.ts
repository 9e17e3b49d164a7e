/**
 * Rendezvous hashing (Thaler and Ravishankar, 1998) with exact balance and least movement.
 */

/** FNV-1a with a final mix: well spread in 32 bits, equal on every machine and in every run. */
function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return mix(hash);
}

function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** How much `key` likes a member: the member with the highest score is its home. */
function score(keyHash: number, memberHash: number): number {
  return mix(keyHash ^ Math.imul(memberHash, 0x9e3779b1));
}

interface Member {
  readonly id: string;
  readonly hash: number;
  readonly held: string[];
  /** Keys that it may hold. */
  room: number;
}

/**
 * A home for every key. Each member gets ⌊keys/members⌋ or ⌈keys/members⌉ keys. A key stays at its previous home unless that
 * member is gone or holds too many, so a member that joins takes its share and nothing else moves, and of a member that leaves
 * only its own keys move. Without members: no homes.
 */
export function assignHomes(
  keys: readonly string[],
  memberIds: readonly string[],
  previous: ReadonlyMap<string, string>,
): Map<string, string> {
  const homes = new Map<string, string>();
  if (memberIds.length === 0) return homes;
  const members = memberIds.map((id): Member => ({ id, hash: hash32(id), held: [], room: 0 }));
  const byId = new Map(members.map((member) => [member.id, member]));
  const moving: string[] = [];
  for (const key of keys) {
    const holder = byId.get(previous.get(key) ?? '');
    if (holder) holder.held.push(key);
    else moving.push(key);
  }
  share(keys.length, members);
  for (const member of members) moving.push(...shed(member));
  for (const { id, held } of members) for (const key of held) homes.set(key, id);
  for (const key of moving.toSorted()) homes.set(key, takeIn(key, members));
  return homes;
}

/** Who holds most keeps the remainder: then nobody sheds a key that would only be swapped. */
function share(count: number, members: readonly Member[]): void {
  const floor = Math.floor(count / members.length);
  const larger = count - floor * members.length;
  const fullestFirst = members.toSorted((a, b) => b.held.length - a.held.length || (a.id < b.id ? -1 : 1));
  for (const [rank, member] of fullestFirst.entries()) member.room = rank < larger ? floor + 1 : floor;
}

/** The keys above the member's room: those that like it least. */
function shed(member: Member): string[] {
  if (member.held.length <= member.room) return [];
  const fondness = new Map(member.held.map((key) => [key, score(hash32(key), member.hash)]));
  member.held.sort((a, b) => (fondness.get(b) ?? 0) - (fondness.get(a) ?? 0));
  return member.held.splice(member.room);
}

function takeIn(key: string, members: readonly Member[]): string {
  const keyHash = hash32(key);
  let best: Member | undefined;
  let bestScore = -1;
  for (const member of members) {
    if (member.held.length >= member.room) continue;
    const liked = score(keyHash, member.hash);
    if (liked > bestScore) {
      best = member;
      bestScore = liked;
    }
  }
  // Rooms add up to the number of keys: there is always one.
  const home = best ?? members[0];
  home?.held.push(key);
  return home?.id ?? '';
}
