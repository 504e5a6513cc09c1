import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type KmsRedirectResponse, readKrr, writeKrr } from "../../../documents/group-xml/index.ts";
import { errorCode } from "../../support/error-code.ts";
import { uri } from "./arbitraries.ts";

const krr: fc.Arbitrary<KmsRedirectResponse> = fc.record(
  {
    initiatorUri: uri,
    receiverUri: uri,
    rejectedKmsUri: uri,
    rejectingEntityUri: uri,
    proposedKmsUris: fc.uniqueArray(uri, { maxLength: 4 }),
  },
  { requiredKeys: ["proposedKmsUris"] },
);

describe("KMS redirect responses", () => {
  it("are read as they were written", () => {
    fc.assert(
      fc.property(krr, (value) => {
        expect(readKrr(writeKrr(value))).toEqual(value);
      }),
    );
  });

  it("have elements that are recognised by the words in their names", () => {
    const xml = `<k:SignedKmsRedirectResponse xmlns:k="urn:a"><k:KmsRedirectResponse Id="1" xmlns="urn:b">
      <k:UserUriFrom><InitiatingEntity>sip:i@x</InitiatingEntity></k:UserUriFrom>
      <KmsListForReceiver><Kms>k1</Kms><Kms> k2 </Kms><Kms>k1</Kms></KmsListForReceiver>
      <ReceivingUser>sip:r@x</ReceivingUser>
      <KmsRejected><Uri>k0</Uri></KmsRejected>
      <RejectingEntity>sip:e@x</RejectingEntity>
      <Time>2030</Time>
      <KmsRedirectResponse><ProposedKms>k9</ProposedKms></KmsRedirectResponse>
      <ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:KmsName>k8</ds:KmsName></ds:Signature>
      <ProposedKms/>
    </k:KmsRedirectResponse></k:SignedKmsRedirectResponse>`;
    expect(readKrr(xml)).toEqual({
      initiatorUri: "sip:i@x",
      receiverUri: "sip:r@x",
      rejectedKmsUri: "k0",
      rejectingEntityUri: "sip:e@x",
      proposedKmsUris: ["k1", "k2"],
    });
  });

  it("may propose nothing", () => {
    expect(readKrr("<KmsRedirectResponse/>")).toEqual({ proposedKmsUris: [] });
  });

  it("are bounded and have that root", () => {
    const many = Array.from({ length: 65 }, (_, i) => `<KmsUri>${i}</KmsUri>`).join("");
    expect(errorCode(() => readKrr(`<KmsRedirectResponse>${many}</KmsRedirectResponse>`))).toBe(
      "codec/GROUP_XML_LIMIT",
    );
    const long = `<KmsRedirectResponse><KmsUri>${"a".repeat(4097)}</KmsUri></KmsRedirectResponse>`;
    expect(errorCode(() => readKrr(long))).toBe("codec/GROUP_XML_LIMIT");
    for (const xml of ["<KmsResponse/>", "<SignedKmsRedirectResponse/>"]) {
      expect(errorCode(() => readKrr(xml))).toBe("codec/GROUP_XML_ROOT");
    }
  });
});
