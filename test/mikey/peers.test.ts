/** Messages of other products, and the departures that are taken when asked for by name. */
import { describe, expect, it } from "vitest";
import { concat } from "../../base/bytes.ts";
import {
  decodeKeyParameters,
  defaultKeyParameters,
  encodeKeyParameters,
} from "../../bindings/mikey/key-parameters.ts";
import { parseMessage } from "../../bindings/mikey/parse.ts";
import { TOLERANCES, type Tolerance, toleranceOf } from "../../bindings/mikey/tolerance.ts";
import { edited } from "../support/forge.ts";
import { productionGmk } from "../support/vectors.ts";

const { octets } = productionGmk().message;

describe("a peer's #CS 0", () => {
  it.each([1, 2])(
    "is accepted with map type %i: no crypto session (RFC 3830 6.1, TS 36.579-1 5.5.9.1)",
    (mapType) => {
      const message = edited(octets, (m) => {
        m.hdr = { ...m.hdr, mapType, csCount: 0, sessions: [] };
        m.payloads = m.payloads.filter((p) => p.payload !== "SP");
      });
      expect(parseMessage(message).sessions).toEqual([]);
    },
  );
});

describe("a peer's Status 0", () => {
  const parameters = encodeKeyParameters({
    ...defaultKeyParameters("GMK"),
    expiry: 0xffff_ffff,
    revoked: true,
  });

  it("means revoked (E.6.9), unless that tolerance is configured", () => {
    expect(decodeKeyParameters(parameters).revoked).toBe(true);
    expect(decodeKeyParameters(parameters, { statusZero: true }).revoked).toBe(false);
    // An element header in front, as E.6.1 has it.
    const wrapped = concat(Uint8Array.of(1, 0, parameters.length), parameters);
    expect(decodeKeyParameters(wrapped, { statusZero: true }).revoked).toBe(false);
  });

  it("with another bit set is still a revocation", () => {
    const gateway = { ...defaultKeyParameters("GMK"), revoked: true, sharedWithGateway: true };
    expect(decodeKeyParameters(encodeKeyParameters(gateway), { statusZero: true }).revoked).toBe(true);
  });
});

describe("a tolerance by its name", () => {
  it("exists for each departure that the library can accept, with its risk", () => {
    const all: Required<Omit<Tolerance, "spWithEmptyMap" | "signallingAlgorithm">> = {
      srtpIdMap: true,
      prfMikey1: true,
      idScheme1: true,
      signatureWithoutHeader: true,
      unprotectedParameters: true,
      statusZero: true,
    };
    const named = [...TOLERANCES.values()];
    expect(toleranceOf([...TOLERANCES.keys()])).toEqual({ ...all, signallingAlgorithm: "outside-aad" });
    for (const { risk } of named) expect(risk).toMatch(/: .+\.$/);
  });

  it("is refused if the name is unknown or missing", () => {
    expect(toleranceOf(["status-zero", "constructor"])).toBeUndefined();
    expect(toleranceOf([])).toEqual({});
  });
});
