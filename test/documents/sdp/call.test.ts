/** Session descriptions of group calls. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MikeySakkeError, utf8 } from "../../../bindings/index.ts";
import { G711, NO_ADDRESS, readCallSdp, writeCallSdp } from "../../../documents/sdp/call.ts";

const CALL = { media: { host: "192.0.2.1", port: 5004 }, floor: { host: "192.0.2.1", port: 5005 } };
const text = (octets: Uint8Array) => new TextDecoder().decode(octets);
const lines = text(writeCallSdp(CALL, 7)).trim().split("\r\n");

describe("the SDP of a call", () => {
  it.each([
    ["two streams", CALL],
    [
      "another format",
      { ...CALL, speech: [{ type: 97, encoding: "AMR-WB/16000", parameters: "octet-align=1" }] },
    ],
    ["no queue for the floor", { ...CALL, queueing: false }],
    ["IPv6", { media: { host: "2001:db8::1", port: 1 }, floor: { host: "2001:db8::2", port: 65_535 } }],
    [
      "multicast and several talkers",
      {
        ...CALL,
        multiTalker: true,
        multicast: { media: { host: "239.255.0.1", port: 6000 }, floor: { host: "239.255.0.1", port: 6001 } },
      },
    ],
    ["a WebSocket that is asked for", { media: NO_ADDRESS, floor: NO_ADDRESS, webSocket: {} }],
    ["a WebSocket that is given", { ...CALL, webSocket: { uri: "wss://mcx.example:5074/media?token=0f" } }],
  ])("is read as it was written: %s", (_, call) => {
    expect(readCallSdp(writeCallSdp(call, 5))).toEqual({ speech: G711, ...call });
  });

  it("has one stream under SRTP and one of floor control (TS 24.380 12)", () => {
    expect(lines).toContain("m=audio 5004 RTP/SAVP 8 0");
    expect(lines).toContain("m=application 5005 udp MCPTT");
    expect(lines).toContain("a=fmtp:MCPTT mc_queueing");
  });

  it("is read with unknown lines, other streams and bare line feeds", () => {
    const other = [...lines.slice(0, 5), "a=sendrecv", ...lines.slice(5), "m=video 9 RTP/SAVP 96", "b=AS:9"];
    expect(readCallSdp(utf8(other.join("\n")))).toEqual({ ...CALL, speech: G711 });
  });

  it("is read with the protocol of floor control in letters of either case, and blanks between its features", () => {
    const text = lines
      .join("\r\n")
      .replaceAll("MCPTT", "mcptt")
      .replace("mc_queueing", "mc_priority=5; mc_queueing ");
    expect(readCallSdp(utf8(text))).toEqual({ ...CALL, speech: G711 });
  });

  it("offers each named speech format, in the order of the offer, and nothing beside speech", () => {
    const speech = [
      "m=audio 5004 RTP/SAVP 97 9 100 98 101 0",
      "a=rtpmap:97 AMR-WB/16000/1",
      "a=fmtp:97 mode-change-capability=2; max-red=220",
      "a=rtpmap:98 EVS/16000",
      "a=rtpmap:100 telephone-event/16000",
      "a=rtpmap:101 CN/16000",
    ];
    const offer = lines
      .filter((line) => !line.startsWith("a=rtpmap"))
      .flatMap((line) => (line.startsWith("m=audio") ? speech : [line]));
    expect(readCallSdp(utf8(offer.join("\r\n"))).speech).toEqual([
      { type: 97, encoding: "AMR-WB/16000/1", parameters: "mode-change-capability=2; max-red=220" },
      { type: 98, encoding: "EVS/16000" },
      { type: 0, encoding: "PCMU/8000" },
    ]);
  });

  it.each([
    [
      "another scheme than that of WebSockets",
      (all: string[]) => all.toSpliced(4, 0, "a=websocket-uri:https://mcx.example/"),
    ],
    ["no version", (all: string[]) => all.slice(1)],
    ["no floor control", (all: string[]) => all.filter((line) => !line.includes("MCPTT"))],
    ["no speech", (all: string[]) => all.filter((line) => !line.startsWith("m=audio"))],
    ["speech in clear", (all: string[]) => all.map((line) => line.replace("RTP/SAVP", "RTP/AVP"))],
    ["no format with a name", (all: string[]) => all.map((line) => line.replace("SAVP 8 0", "SAVP 96"))],
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
    ...["dead:beef", "2147483647", "1:2", "::1%lo"].map((six): [string, (all: string[]) => string[]] => [
      `"${six}" in place of an IPv6 address`,
      (all) => all.map((line) => line.replace(/^c=.*/, `c=IN IP6 ${six}`)),
    ]),
    [
      "zeros that some read as octal in an IPv4 address",
      (all: string[]) => all.map((line) => line.replace(/^c=.*/, "c=IN IP4 127.000.000.001")),
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

  it("is refused with MikeySakkeError only, whatever comes", () => {
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
