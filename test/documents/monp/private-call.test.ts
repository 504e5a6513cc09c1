/** Messages of off-network call control. */
import { describe, expect, it } from "vitest";
import { MikeySakkeError, toHex, utf8 } from "../../../bindings/index.ts";
import {
  decodePrivateCallMessage,
  encodePrivateCallMessage,
  PRIVATE_CALL_MESSAGES,
  type PrivateCallMessage,
  REJECT_REASONS,
  type RejectReason,
} from "../../../documents/monp/private-call.ts";

const PARTIES = { callId: 0x0102, caller: "sip:a@x", callee: "sip:b@x" };
const SDP = utf8("v=0\r\n");

const MESSAGES: readonly PrivateCallMessage[] = [
  { ...PARTIES, name: "PRIVATE CALL SETUP REQUEST", manual: false, sdp: SDP },
  { ...PARTIES, name: "PRIVATE CALL SETUP REQUEST", manual: true, sdp: SDP },
  { ...PARTIES, name: "PRIVATE CALL RINGING" },
  { ...PARTIES, name: "PRIVATE CALL ACCEPT", sdp: SDP },
  ...(Object.keys(REJECT_REASONS) as RejectReason[]).map(
    (reason): PrivateCallMessage => ({ ...PARTIES, name: "PRIVATE CALL REJECT", reason }),
  ),
  { ...PARTIES, name: "PRIVATE CALL RELEASE" },
  { ...PARTIES, name: "PRIVATE CALL RELEASE ACK" },
  { ...PARTIES, name: "PRIVATE CALL ACCEPT ACK" },
];

describe("messages of a private call (TS 24.379 15)", () => {
  it("are read as they were written, each with its message type", () => {
    for (const message of MESSAGES) {
      const octets = encodePrivateCallMessage(message);
      expect(octets[0]).toBe(PRIVATE_CALL_MESSAGES[message.name]);
      expect(decodePrivateCallMessage(octets)).toEqual(message);
    }
  });

  it("have call identifier, modes and texts in the order of the standard", () => {
    const [setup] = MESSAGES;
    const texts = "00077369703a614078" + "00077369703a624078";
    expect(toHex(encodePrivateCallMessage(setup!))).toBe(`0801020005${texts}0005763d300d0a`);
    const busy = { ...PARTIES, name: "PRIVATE CALL REJECT", reason: "busy" } as const;
    expect(toHex(encodePrivateCallMessage(busy))).toBe(`0b010202${texts}`);
  });

  it("are read with optional elements after the mandatory ones, and with an unknown reason", () => {
    const octets = encodePrivateCallMessage(MESSAGES[0]!);
    const location = Uint8Array.of(...octets, 0x78, 0, 1, 65);
    expect(decodePrivateCallMessage(location)).toEqual(MESSAGES[0]);
    const reject = encodePrivateCallMessage({ ...PARTIES, name: "PRIVATE CALL REJECT", reason: "busy" });
    reject[3] = 99;
    expect(decodePrivateCallMessage(reject)).toMatchObject({ reason: "reject" });
  });

  it("are refused when cut at any octet", () => {
    for (const message of MESSAGES) {
      const octets = encodePrivateCallMessage(message);
      for (let length = 1; length < octets.length; length++) {
        const cut = () => decodePrivateCallMessage(octets.subarray(0, length));
        expect(cut).toThrow(expect.objectContaining({ kind: "codec", code: "BAD_MONP" }));
      }
    }
  });

  it("are refused for another type of call, and for a user who is no URI", () => {
    const emergency = encodePrivateCallMessage(MESSAGES[0]!);
    emergency[4] = 6;
    expect(() => decodePrivateCallMessage(emergency)).toThrow(
      "PRIVATE CALL SETUP REQUEST: call type 6, must be 5",
    );
    for (const caller of ["a b", "\uFEFFsip:a@x", "sip:ä@x"]) {
      const octets = encodePrivateCallMessage({ ...PARTIES, caller, name: "PRIVATE CALL RINGING" });
      expect(() => decodePrivateCallMessage(octets)).toThrow("PRIVATE CALL RINGING: caller is no URI");
    }
  });

  it("are not those of groups, and are not written with texts that receivers refuse", () => {
    for (const type of [0, 1, 7, 15, 21, 255]) {
      expect(decodePrivateCallMessage(Uint8Array.of(type, 1, 2, 3))).toBeUndefined();
    }
    expect(decodePrivateCallMessage(new Uint8Array(0))).toBeUndefined();
    for (const caller of ["", "a".repeat(1025)]) {
      const write = () => encodePrivateCallMessage({ ...PARTIES, caller, name: "PRIVATE CALL RINGING" });
      expect(write).toThrow(expect.objectContaining({ kind: "usage", code: "BAD_MONP" }));
      expect(write).toThrow(MikeySakkeError);
    }
  });
});
