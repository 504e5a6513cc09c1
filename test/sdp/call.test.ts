/** Session descriptions of group calls. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MikeySakkeError, utf8 } from "../../bindings/index.ts";
import { readCallSdp, writeCallSdp } from "../../transport/sdp/call.ts";

const CALL = { media: { host: "192.0.2.1", port: 5004 }, floor: { host: "192.0.2.1", port: 5005 } };
const text = (octets: Uint8Array) => new TextDecoder().decode(octets);
const lines = text(writeCallSdp(CALL, 7)).trim().split("\r\n");

describe("the description of a call", () => {
  it.each([
    ["two streams", CALL],
    ["IPv6", { media: { host: "2001:db8::1", port: 1 }, floor: { host: "2001:db8::2", port: 65_535 } }],
    [
      "multicast and several talkers",
      {
        ...CALL,
        multiTalker: true,
        multicast: { media: { host: "239.255.0.1", port: 6000 }, floor: { host: "239.255.0.1", port: 6001 } },
      },
    ],
  ])("comes back: %s", (_, call) => {
    expect(readCallSdp(writeCallSdp(call, 5))).toEqual(call);
  });

  it("has one stream under SRTP and one of floor control (TS 24.380 12)", () => {
    expect(lines).toContain("m=audio 5004 RTP/SAVP 8 0");
    expect(lines).toContain("m=application 5005 udp MCPTT");
    expect(lines).toContain("a=fmtp:MCPTT mc_queueing");
  });

  it("is read with lines that are not known, other streams and line feeds alone", () => {
    const other = [...lines.slice(0, 5), "a=sendrecv", ...lines.slice(5), "m=video 9 RTP/SAVP 96", "b=AS:9"];
    expect(readCallSdp(utf8(other.join("\n")))).toEqual(CALL);
  });

  it.each([
    ["no version", (all: string[]) => all.slice(1)],
    ["no floor control", (all: string[]) => all.filter((line) => !line.includes("MCPTT"))],
    ["no speech", (all: string[]) => all.filter((line) => !line.startsWith("m=audio"))],
    ["speech in clear", (all: string[]) => all.map((line) => line.replace("RTP/SAVP", "RTP/AVP"))],
    ["another codec", (all: string[]) => all.map((line) => line.replace("SAVP 8 0", "SAVP 96"))],
    ["two streams of speech", (all: string[]) => [...all, "m=audio 1 RTP/SAVP 8"]],
    ["no address", (all: string[]) => all.filter((line) => !line.startsWith("c="))],
    [
      "a name in place of an address",
      (all: string[]) => all.map((line) => line.replace(/^c=.*/, "c=IN IP4 a.example")),
    ],
    [
      "an address that is none",
      (all: string[]) => all.map((line) => line.replace(/^c=.*/, "c=IN IP4 1.2.3.256")),
    ],
    ["port 0", (all: string[]) => all.map((line) => line.replace("5004", "0"))],
    ["too many lines", (all: string[]) => [...all, ...Array<string>(300).fill("a=x")]],
    ["too many octets", (all: string[]) => [...all, `a=${"x".repeat(20_000)}`]],
    [
      "a multicast address without ports",
      (all: string[]) => [all[0]!, "a=x-mikey-sakke-multicast:239.0.0.1", ...all.slice(1)],
    ],
  ])("is refused with %s", (_, change) => {
    const octets = utf8(change([...lines]).join("\r\n"));
    expect(() => readCallSdp(octets)).toThrow(expect.objectContaining({ code: "BAD_SDP" }));
  });

  it("fails with an error of ours, whatever comes", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...lines, "c=IN IP4 ", "m=", "a=fmtp:", "\r")), (some) => {
        try {
          readCallSdp(utf8(some.join("\r\n")));
        } catch (error) {
          expect(error).toBeInstanceOf(MikeySakkeError);
        }
      }),
    );
  });
});
