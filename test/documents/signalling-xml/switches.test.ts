/** The switches of the service configuration: on, unless it says otherwise. */
import { describe, expect, it } from "vitest";
import { readServiceSwitches } from "../../../documents/signalling-xml/index.ts";
import { errorCode } from "../../support/error-code.ts";

const config = (inside: string) =>
  `<service-configuration-info xmlns="urn:3gpp:ns:mcpttServiceConfig:1.0"><service-configuration-params domain="x">
     <on-network>${inside}</on-network></service-configuration-params></service-configuration-info>`;
const both = (confidentiality: boolean, integrity = confidentiality) => ({ confidentiality, integrity });

describe("the service configuration", () => {
  it.each([
    ["", both(true), both(true)],
    ["<signalling-protection/>", both(true), both(true)],
    ["<signalling-protection> false </signalling-protection>", both(false), both(true)],
    [
      "<signalling-protection><confidentiality-protection>false</confidentiality-protection></signalling-protection>",
      both(false, true),
      both(true),
    ],
    [
      "<signalling-protection><integrity-protection>0</integrity-protection><confidentiality-protection>1</confidentiality-protection></signalling-protection>",
      both(true, false),
      both(true),
    ],
    [
      "<protection-between-mcptt-servers><allow-signalling-protection>false</allow-signalling-protection><allow-floor-control-protection>true</allow-floor-control-protection></protection-between-mcptt-servers>",
      both(true),
      both(false),
    ],
  ])('is read from "%s"', (inside, client, servers) => {
    expect(readServiceSwitches(config(inside))).toEqual({ client, servers });
  });

  it.each([
    ["no truth value", "<signalling-protection>maybe</signalling-protection>"],
    ["no truth value further in", "<signalling-protection><integrity-protection/></signalling-protection>"],
    ["a switch twice", "<signalling-protection/><signalling-protection>false</signalling-protection>"],
    [
      "a switch twice further in",
      `<signalling-protection>${"<integrity-protection>true</integrity-protection>".repeat(2)}</signalling-protection>`,
    ],
  ])("is refused with %s", (_, inside) => {
    expect(errorCode(() => readServiceSwitches(config(inside)))).toBe("codec/SERVICE_CONFIG");
  });
});
