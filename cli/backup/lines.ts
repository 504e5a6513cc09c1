/** Lines of octets that come in pieces. */
import { damaged } from "../../store/index.ts";

/** A row has some 20 KB at most; without a bound a file without line ends would fill the memory. */
const MOST_OCTETS = 64 << 20;
const LINE_END = 0x0a;

/** Each without its end. What stands behind the last end is a line that was cut off. */
export async function* linesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let begun: Buffer[] = [];
  let length = 0;
  for await (const piece of pieces) {
    let rest = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    for (let end = rest.indexOf(LINE_END); end >= 0; end = rest.indexOf(LINE_END)) {
      yield Buffer.concat([...begun, rest.subarray(0, end)]);
      begun = [];
      length = 0;
      rest = rest.subarray(end + 1);
    }
    if (rest.length === 0) continue;
    begun.push(rest);
    length += rest.length;
    if (length > MOST_OCTETS) throw damaged("has a line without an end");
  }
  if (length > 0) throw damaged("ends within a line");
}
