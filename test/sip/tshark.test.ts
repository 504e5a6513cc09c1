/** tshark reads what we send: a subscription with authentication, from begin to end. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createAuthenticator, digestScheme, digestSecret } from "../../transport/sip/index.ts";
import { describeWith } from "../support/foreign.ts";
import { random, World } from "./support/endpoints.ts";
import { pcap } from "./support/pcap.ts";

const TSHARK = "/usr/bin/tshark";

describeWith("tshark", TSHARK, "tshark", () => {
  it("finds no malformed field in our subscription", async () => {
    const world = await new World("UDP", { credentials: { digest: { user: "a", password: "b" } } }).start();
    const scheme = digestScheme({
      realm: "gms.example.com",
      clock: world.clock,
      random,
      secret: (user, algorithm) => digestSecret(algorithm, user, "gms.example.com", "b"),
    });
    world.notifier({ authenticator: createAuthenticator(scheme) });
    const subscription = world.subscribe();
    await world.clock.pass(100);
    subscription.unsubscribe();
    await world.clock.pass(100);

    const folder = mkdtempSync(join(tmpdir(), "tshark-"));
    const file = join(folder, "capture.pcap");
    writeFileSync(file, pcap(world.network.seen));
    const run = (...args: string[]) =>
      execFileSync(TSHARK, ["-n", "-r", file, ...args], { stdio: ["ignore", "pipe", "ignore"] });
    const lines = (...args: string[]) =>
      String(run(...args))
        .split("\n")
        .filter(Boolean);
    const messages = lines("-T", "fields", "-e", "sip.Method", "-e", "sip.Status-Code").map((line) =>
      line.trim(),
    );
    const errors = lines("-Y", "_ws.malformed || _ws.expert.severity >= 6291456");
    rmSync(folder, { recursive: true });
    expect(messages).toEqual(
      "SUBSCRIBE 401 SUBSCRIBE 200 NOTIFY 200 SUBSCRIBE 401 SUBSCRIBE 200 NOTIFY 200".split(" "),
    );
    expect(errors).toEqual([]);
  });
});
