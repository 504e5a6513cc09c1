/** Transmission control messages (TS 24.581 9.2). */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MikeySakkeError, toHex } from "../../../bindings/index.ts";
import {
  decodeTransmissionMessage,
  encodeTransmissionMessage,
  RECEPTION_MODES,
  TRANSMISSION_MESSAGES,
  TRANSMISSION_SOURCES,
  type TransmissionMessage,
  type TransmissionMessageName,
} from "../../../bindings/transmission-control/index.ts";

const [MCV0, MCV1, MCV2] = ["4d435630", "4d435631", "4d435632"];

describe("transmission control messages", () => {
  it.each<[TransmissionMessage, string]>([
    [
      { name: "Transmission Request", ssrc: 0x01020304, priority: 5, indicator: 0x1000 },
      `80cc000401020304${MCV0}000205000d021000`,
    ],
    [
      { name: "Transmission Granted", ackRequired: true, ssrc: 1, duration: 60, audioSsrc: 2, videoSsrc: 3 },
      `90cc000700000001${MCV1}0102003c0e060000000200001706000000030000`,
    ],
    [
      {
        name: "Media Transmission Notification",
        ssrc: 1,
        transmitter: "sip:a@b",
        mayRequest: true,
        receptionMode: RECEPTION_MODES.MANUAL,
      },
      // 7 octets of text and 3 of padding, so that the field has 12.
      `86cc000700000001${MCV1}04077369703a6140620000000502000116020001`,
    ],
    [{ name: "Transmission End Request", ssrc: 1 }, `80cc000200000001${MCV2}`],
    [
      {
        name: "Transmission Control Ack",
        ssrc: 1,
        source: TRANSMISSION_SOURCES.PARTICIPANT,
        acknowledged: { app: "MCV1", subtype: 6 },
      },
      `84cc000600000001${MCV2}0a0200001006${MCV1}00000c020600`,
    ],
  ])("have the octets of clause 9.2: %o", (message, octets) => {
    expect(toHex(encodeTransmissionMessage(message))).toBe(octets);
    expect(decodeTransmissionMessage(encodeTransmissionMessage(message))).toEqual(message);
  });

  it("are read as they were written", () => {
    const u16 = fc.nat(0xffff);
    const u8 = fc.nat(0xff);
    const ssrc = fc.nat(0xffffffff);
    const uri = fc.string({ maxLength: 60 }).map((text) => `sip:${text}`);
    const optional = {
      ackRequired: fc.constant(true),
      priority: u8,
      duration: u16,
      cause: u16,
      queue: fc.record({ position: u8, priority: u8 }),
      transmitter: uri,
      mayRequest: fc.boolean(),
      userId: uri,
      sequenceNumber: u16,
      source: u16,
      acknowledged: fc.record({ app: fc.constantFrom("MCV0", "MCV1", "MCV2"), subtype: u8 }),
      indicator: u16,
      audioSsrc: ssrc,
      videoSsrc: ssrc,
      isGranted: fc.boolean(),
      receptionPriority: u8,
      receptionMode: u16,
    };
    const fixed = {
      name: fc.constantFrom(...(Object.keys(TRANSMISSION_MESSAGES) as TransmissionMessageName[])),
      ssrc,
    };
    const messages = fc.record({ ...fixed, ...optional }, { requiredKeys: ["name", "ssrc"] });
    fc.assert(
      fc.property(messages, (message) => {
        const octets = encodeTransmissionMessage(message as TransmissionMessage);
        expect(octets.length % 4).toBe(0);
        expect(decodeTransmissionMessage(octets)).toEqual(message);
      }),
    );
  });

  it("are told apart by the name of the packet, which has the same subtypes for others", () => {
    const names = [0, 1, 2].map((n) => {
      const octets = encodeTransmissionMessage({ name: "Transmission Request", ssrc: 1 });
      octets[11] = 0x30 + n;
      return decodeTransmissionMessage(octets).name;
    });
    expect(names).toEqual(["Transmission Request", "Transmission Granted", "Transmission End Request"]);
  });

  it.each<[string, (octets: Uint8Array) => Uint8Array]>([
    ["a subtype that is none", (octets) => octets.fill(0x85, 0, 1)],
    ["the name of floor control", (octets) => octets.fill(0x50, 10, 12)],
    ["another packet type", (octets) => octets.fill(200, 1, 2)],
    ["another length", (octets) => octets.fill(9, 3, 4)],
    ["padding", (octets) => octets.fill(0xa0, 0, 1)],
    ["a field that is cut off", (octets) => octets.fill(0xff, 13, 14)],
  ])("are refused with %s", (_, change) => {
    const octets = encodeTransmissionMessage({ name: "Transmission Request", ssrc: 1, priority: 1 });
    expect(() => decodeTransmissionMessage(change(octets))).toThrow(MikeySakkeError);
  });

  it("carry no text of more than 255 octets", () => {
    const message = { name: "Transmission Request", ssrc: 1, userId: "x".repeat(256) } as const;
    expect(() => encodeTransmissionMessage(message)).toThrow(
      expect.objectContaining({ code: "TRANSMISSION_FIELD" }),
    );
  });
});
