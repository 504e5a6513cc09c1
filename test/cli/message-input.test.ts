import { describe, expect, it } from "vitest";
import { toBase64, toHex, utf8 } from "../../base/bytes.ts";
import { decodeMessageInput, type MessageForm } from "../../cli/files/message-input.ts";

const octets = Uint8Array.from({ length: 701 }, (_, i) => (i === 0 ? 1 : i === 1 ? 26 : (i * 7) & 0xff));
const base64 = toBase64(octets);
const lines = (text: string, width: number) => text.replace(new RegExp(`.{${width}}`, "g"), "$&\r\n");

describe("a message as input", () => {
  it.each<[MessageForm, string, Uint8Array]>([
    ["raw", "octets", octets],
    ["hex", "lower case", utf8(toHex(octets))],
    ["hex", "upper case in lines", utf8(` ${lines(toHex(octets).toUpperCase(), 32)}\n`)],
    ["hex", "octets apart", utf8(lines(toHex(octets), 2).replaceAll("\r\n", " "))],
    ["base64", "one line", utf8(base64)],
    ["base64", "in lines", utf8(`\n${lines(base64, 76)}`)],
    ["base64", "without padding", utf8(base64.replace(/=+$/, ""))],
    ["mikey", "with its prefix", utf8(`mikey ${base64}\n`)],
    ["mikey", "an SDP attribute", utf8(`a=key-mgmt:mikey ${base64}\r\n`)],
  ])("is read as %s, %s", (form, _, input) => {
    const message = decodeMessageInput(input);
    expect(message.form).toBe(form);
    expect(toHex(message.octets)).toBe(toHex(octets));
  });

  it.each(["", " \n", "mikey ", "mikey !!", "not a message!", "01 1a 0"])("is refused: %j", (text) => {
    expect(() => decodeMessageInput(utf8(text))).toThrow(
      expect.objectContaining({ kind: "codec", code: "UNKNOWN_FORM" }),
    );
  });
});
