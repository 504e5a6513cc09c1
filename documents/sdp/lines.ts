/** The lines of a session description (RFC 8866), apart from what they mean in a call. */
import { fromUtf8 } from "../../base/bytes.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { canonicalHost } from "../../transport/datagram/host.ts";
import type { DatagramAddress } from "../../transport/datagram/ports.ts";

const MAX_BYTES = 16_384;
const MAX_LINES = 256;

/** @throws MikeySakkeError codec `BAD_SDP` */
export function linesOf(octets: Uint8Array): string[] {
  if (octets.length > MAX_BYTES) throw bad(`longer than ${MAX_BYTES} octets`);
  const lines = fromUtf8(octets, "SDP").split(/\r?\n/);
  if (lines.length > MAX_LINES) throw bad(`more than ${MAX_LINES} lines`);
  if (lines[0] !== "v=0") throw bad("does not begin with v=0");
  return lines;
}

/** The lines of the session, then those of each stream. */
export function sectionsOf(lines: readonly string[]): string[][] {
  const sections: string[][] = [[]];
  for (const line of lines) {
    if (line.startsWith("m=")) sections.push([]);
    sections.at(-1)!.push(line);
  }
  return sections;
}

/** The one section whose first line is that one: `line` has the port and the rest as its groups. */
export function sectionOf(sections: readonly (readonly string[])[], line: RegExp, what: string) {
  const [lines, ...more] = sections.filter(([first]) => line.test(first!));
  if (lines === undefined || more.length > 0) throw bad(`must have one stream of ${what}`);
  const [, port, rest] = line.exec(lines[0]!)!;
  return { lines, port: portOf(port!), rest: rest! };
}

export function connectionOf(lines: readonly string[]): string | undefined {
  return lines.find((line) => line.startsWith("c="))?.slice(2);
}

export function addressOf(connection: string | undefined): string {
  const [, type, text] = /^IN (IP4|IP6) (\S+)$/i.exec(connection ?? "") ?? [];
  const host = text === undefined ? undefined : canonicalHost(text);
  if (host !== undefined && text!.includes(":") === (type!.toUpperCase() === "IP6")) return host;
  throw bad("a stream without an address");
}

export function attributeOf(lines: readonly string[], name: string): string | undefined {
  const start = `a=${name}:`;
  return lines.find((line) => line.startsWith(start))?.slice(start.length);
}

/** Names of encodings are compared without case, and one channel need not be stated (RFC 8866 6.6). */
export function isSameEncoding(one: string, other: string): boolean {
  const [a, b] = [one, other].map((encoding) => encoding.toLowerCase().replace(/\/1$/, ""));
  return a === b;
}

export function portOf(text: string): number {
  const port = Number(text);
  if (port < 1 || port > 0xffff) throw bad(`port ${text}`);
  return port;
}

export function hostOf({ host }: DatagramAddress): string {
  return `${host.includes(":") ? "IP6" : "IP4"} ${host}`;
}

export function bad(text: string): MikeySakkeError {
  return new MikeySakkeError("codec", "BAD_SDP", `SDP: ${text}`);
}
