/** The demo asks a server again if it did not answer in time, but not if it refused. */
import { expect, it } from "vitest";
import { type ErrorCode, MikeySakkeError } from "../../../base/errors.ts";
import { answered } from "../../../cli/demo/waiting.ts";
import { McxRefusedError } from "../../../roles/client/mcx/index.ts";
import { Headers, type SipResponse } from "../../../transport/sip/index.ts";

const fault = (code: ErrorCode) => new MikeySakkeError("transport", code, `${code}, as it happens`);
const refusal = (status: number) =>
  new McxRefusedError("INVITE", { status, reason: "", headers: new Headers() } as SipResponse);

function failing(error: Error, times: number) {
  let tries = 0;
  const work = async () => {
    if (++tries <= times) throw error;
    return tries;
  };
  return { work, tries: () => tries };
}

it.each([
  ["the KMS", fault("KMS_TIMEOUT")],
  ["the GMS", fault("XCAP_TIMEOUT")],
  ["a SIP server", fault("SIP_TIMEOUT")],
  ["the MCX server, which waited for another", refusal(504)],
])("the demo asks again when %s did not answer in time", async (_, error) => {
  const step = { signal: new AbortController().signal, lacks: () => undefined };
  expect(await answered(failing(error, 2).work, step)).toBe(3);
});

it.each([
  ["a refusal", refusal(403)],
  ["a server that is not there", fault("ADMIN_UNREACHABLE")],
  ["a message that does not verify", new MikeySakkeError("verification", "BAD_SIGNATURE", "no")],
])("the demo fails at once on %s", async (_, error) => {
  const { work, tries } = failing(error, 2);
  const step = { signal: new AbortController().signal, lacks: () => undefined };
  await expect(answered(work, step)).rejects.toBe(error);
  expect(tries()).toBe(1);
});

it("the demo asks nobody again once a step has ended, and says what was missing", async () => {
  const end = new AbortController();
  let told = "";
  const step = {
    signal: end.signal,
    lacks: (what: () => string) => {
      told = what();
      end.abort(new Error("ended"));
    },
  };
  await expect(answered(failing(fault("XCAP_TIMEOUT"), 5).work, step)).rejects.toThrow("ended");
  expect(told).toBe("XCAP_TIMEOUT, as it happens");
});
