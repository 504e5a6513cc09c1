import { describe, expect, it } from "vitest";
import { writeKmsResponse } from "../../../documents/kms-xml/index.ts";
import { initResponse, keyProvResponse, productionMessage } from "./production-documents.ts";

describe("each file of the production vector is what its JSON says:", () => {
  it.each([
    ["cert", initResponse()],
    ["gms", keyProvResponse("gms")],
    ["alice", keyProvResponse("alice")],
  ])("production-gmk.%s.xml is", async (name, response) => {
    await expect(writeKmsResponse(response)).toMatchFileSnapshot(`../../vectors/production-gmk.${name}.xml`);
  });

  it("production-gmk.mikey is", async () => {
    await expect(`mikey ${productionMessage()}\n`).toMatchFileSnapshot("../../vectors/production-gmk.mikey");
  });
});
