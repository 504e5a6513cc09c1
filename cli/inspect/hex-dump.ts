/** Dumps as xxd, hexdump -C, tcpdump -x and Wireshark write them: an offset, octets, and perhaps their characters. */
import { fromHex } from "../../base/bytes.ts";

const LINE = /^(?:0x)?([0-9a-f]{4,8}):? {1,4}((?:[0-9a-f]{2} ?){1,32})/i;

/** Undefined unless the text is one dump whose offsets go on without a gap. */
export function readHexDump(text: string): Uint8Array | undefined {
  const parts: string[] = [];
  let length = 0;
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === "") continue;
    const [, offset, octets] = LINE.exec(line.trim().replace(/\t/g, " ")) ?? [];
    if (offset === undefined || octets === undefined) {
      // hexdump ends with the length alone.
      if (/^[0-9a-f]{4,8}$/i.test(line.trim()) && Number.parseInt(line, 16) === length) continue;
      return undefined;
    }
    if (Number.parseInt(offset, 16) !== length) return undefined;
    // Two blanks part the octets from the characters, which may look like octets; -C has two in its middle as well.
    const hex = octetsOf(line.trim().replace(/\t/g, " "));
    parts.push(hex);
    length += hex.length / 2;
  }
  return length === 0 ? undefined : fromHex(parts.join(""));
}

function octetsOf(line: string): string {
  const rest = line.replace(/^(?:0x)?[0-9a-f]+:? +/i, "").split("|")[0]!;
  const [left = "", right = ""] = rest.split(/ {2,}/);
  const middle =
    left.trim().split(" ").length === 8 && /^(?:[0-9a-f]{2} ){0,7}[0-9a-f]{2}$/i.test(right.trim());
  return (middle ? left + right : left).replace(/ /g, "");
}
