/** Reads what is in the memory of a child process (Linux: proc(5)). */
import { closeSync, openSync, readFileSync, readSync } from "node:fs";

const PIECE = 4 << 20;

/** Returns those of the octet strings that occur in the readable memory of a process. */
export function foundInMemory(pid: number, wanted: readonly Uint8Array[]): Uint8Array[] {
  const overlap = Math.max(...wanted.map(({ length }) => length)) - 1;
  const found = new Set<Uint8Array>();
  const memory = openSync(`/proc/${pid}/mem`, "r");
  const piece = Buffer.alloc(PIECE + overlap);
  try {
    for (const { from, to } of readable(pid)) {
      for (let at = from; at < to; at += PIECE) {
        const length = read(memory, piece, Math.min(PIECE + overlap, to - at), at);
        const octets = piece.subarray(0, length);
        for (const one of wanted) if (octets.indexOf(one) >= 0) found.add(one);
      }
    }
  } finally {
    closeSync(memory);
  }
  return [...found];
}

/** A region may be gone by now, or belong to a device. */
function read(memory: number, into: Buffer, length: number, at: number): number {
  try {
    return readSync(memory, into, 0, length, at);
  } catch {
    return 0;
  }
}

function readable(pid: number): { from: number; to: number }[] {
  const lines = readFileSync(`/proc/${pid}/maps`, "utf8").split("\n");
  return lines.flatMap((line) => {
    const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) r/.exec(line) ?? [];
    // Addresses of the kernel's own pages are no safe integers.
    if (from === undefined || line.endsWith("[vsyscall]") || line.endsWith("[vvar]")) return [];
    return [{ from: Number.parseInt(from, 16), to: Number.parseInt(to!, 16) }];
  });
}
