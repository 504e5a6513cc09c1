/** A port that another program has: whichever key or option it is of, the address is told. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { listenError } from "../../cli/server/listen-error.ts";
import { nextStep } from "../../cli/terminal/hints.ts";

it("an error of listening names the address, and hints at every place where a port may be set", async () => {
  const occupied = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void occupied.close());
  await once(occupied, "listening");
  const { port } = occupied.address() as AddressInfo;
  const [cause] = await once(createServer().listen(port, "127.0.0.1"), "error").catch((error) => [error]);
  const error = listenError(cause);
  expect(error).toMatchObject({ code: "ADDRESS_IN_USE", message: `127.0.0.1:${port} is in use` });
  expect(nextStep(error)).toMatch(/--port or --sip-port or, .* in the configuration/);
});
