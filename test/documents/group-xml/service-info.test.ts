/** The info documents of MCPTT and MCData. */
import { describe, expect, it } from "vitest";
import {
  readMcdataInfo,
  readMcpttInfo,
  writeMcdataInfo,
  writeMcpttInfo,
} from "../../../documents/group-xml/index.ts";

const INFO = {
  accessToken: "abc.def",
  requestType: "prearranged",
  requestUri: "sip:fire@example.org",
  callingUser: "sip:alice@example.org",
  callingGroup: "sip:command@example.org",
};

describe.each([
  ["mcptt", writeMcpttInfo, readMcpttInfo, "session-type"],
  ["mcdata", writeMcdataInfo, readMcdataInfo, "request-type"],
] as const)("the %s-info document", (service, write, read, requestType) => {
  it("is read as it was written, whole and in part", () => {
    expect(read(write(INFO))).toEqual(INFO);
    expect(read(write({}))).toEqual({});
    expect(read(write({ requestUri: INFO.requestUri }))).toEqual({ requestUri: INFO.requestUri });
  });

  it("has the elements of the schema", () => {
    const text = write(INFO).replaceAll(/>\s+</g, "><");
    expect(text).toContain(`<${requestType}>prearranged</${requestType}>`);
    expect(text).toContain(
      `<${service}-request-uri type="Normal"><${service}URI>sip:fire@example.org</${service}URI></${service}-request-uri>`,
    );
  });

  it("is refused while it is encrypted, and where a value is empty or too long", () => {
    const text = write({ requestUri: "sip:x" });
    const code = `${service.toUpperCase()}_INFO_ENCRYPTED`;
    expect(() => read(text.replace("Normal", "Encrypted"))).toThrow(expect.objectContaining({ code }));
    expect(() => read(text.replace("sip:x", ""))).toThrow(
      expect.objectContaining({ code: "GROUP_XML_VALUE" }),
    );
    expect(() => read(text.replace("sip:x", `sip:${"x".repeat(5000)}`))).toThrow(
      expect.objectContaining({ code: "GROUP_XML_LIMIT" }),
    );
  });

  it("is not accepted for the other service", () => {
    const other = service === "mcptt" ? readMcdataInfo : readMcpttInfo;
    expect(() => other(write(INFO))).toThrow(expect.objectContaining({ kind: "codec" }));
  });
});
