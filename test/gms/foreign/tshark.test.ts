/** tshark listens on loopback: what a subscriber and the GMS say to each other has no malformed field, nor has our MIKEY. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { utf8 } from "../../../base/bytes.ts";
import { systemRandom } from "../../../base/random.ts";
import { createSipEndpoint, systemClock } from "../../../transport/sip/index.ts";
import { tcpTransport } from "../../../transport/sip/index-node.ts";
import { describeWith } from "../../support/foreign.ts";
import { GMS_URI, HOME_KMS, memberUri, newMembers } from "../memory-gms.ts";
import { GROUP, HOST, OPERATOR, type RunningGms, startGms } from "./running-gms.ts";

const TSHARK = "/usr/bin/tshark";

/** Everything to and from a TCP port of loopback, written to a file until it is told to stop. */
async function capture(port: number, file: string): Promise<ChildProcess> {
  const child = spawn("dumpcap", ["-q", "-i", "lo", "-f", `tcp port ${port}`, "-w", file], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  await new Promise<void>((resolve, reject) => {
    child.once("exit", () => reject(new Error(`no capture: ${said}`)));
    child.stderr!.on("data", (bytes) => {
      said += String(bytes);
      if (said.includes("File:")) resolve();
    });
  });
  return child;
}

describeWith("tshark", TSHARK, "tshark and a GMS", () => {
  let running: RunningGms;
  let folder: string;
  beforeAll(async () => {
    running = await startGms();
    folder = mkdtempSync(join(tmpdir(), "gms-tshark-"));
  });
  afterAll(async () => {
    await running?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A member that takes keys in the diff, or beside it, until its key is revoked. Returns the file of all that was said. */
  async function runOfAMember(
    name: string,
    member: number,
    mode: string,
    accept: readonly string[],
  ): Promise<string> {
    const user = memberUri(member);
    const { admin } = running.gms;
    const uri = `${GROUP}-${name}`;
    const file = join(folder, `${name}.pcap`);
    await admin.createGroup(OPERATOR, { uri, members: newMembers(1, member) });
    await running.sealed(uri);
    const capturing = await capture(running.tcp, file);
    const endpoint = createSipEndpoint({
      transports: [tcpTransport({ listen: { host: HOST } })],
      clock: systemClock,
      random: systemRandom,
      user: "member",
      credentials: { bearer: () => running.token(user) },
    });
    await endpoint.start();
    let notifies = 0;
    let ended = false;
    const subscription = endpoint.subscribe({
      uri: `sip:gms@${HOST}:${running.tcp};transport=tcp`,
      from: user,
      event: { value: "xcap-diff", params: new Map([["diff-processing", mode]]) },
      accept,
      contentType: "application/resource-lists+xml",
      body: utf8(
        `<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list><entry ` +
          `uri="org.3gpp.MCPTT-GKTP/users/${encodeURIComponent(user)}/"/></list></resource-lists>`,
      ),
      onNotify: () => {
        notifies++;
        return { status: 200 };
      },
      onEnd: () => {
        ended = true;
      },
    });
    await expect.poll(() => notifies).toBe(1);
    const [gmk] = await admin.gmks(uri);
    await admin.revokeGmk(OPERATOR, gmk!.gmkId);
    await expect.poll(() => notifies).toBe(2);
    subscription.unsubscribe();
    await expect.poll(() => ended).toBe(true);
    await endpoint.close();
    // Packets reach the file a while after they were sent.
    await expect.poll(() => terminations(file), { timeout: 20_000, interval: 300 }).toBe(1);
    const stopped = once(capturing, "exit");
    capturing.kill("SIGINT");
    await stopped;
    expect(existsSync(file)).toBe(true);
    return file;
  }

  /** NOTIFYs in the file that end a subscription. */
  function terminations(file: string): number {
    try {
      return read(file, "-Y", `sip.Subscription-State contains "terminated"`).length;
    } catch {
      // Cut in the midst of a packet.
      return 0;
    }
  }

  const read = (file: string, ...args: string[]) =>
    String(
      execFileSync(TSHARK, ["-n", "-r", file, "-d", `tcp.port==${running.tcp},sip`, ...args], {
        stdio: ["ignore", "pipe", "ignore"],
      }),
    )
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean);
  const ERRORS = "_ws.malformed || (sip && _ws.expert.severity >= 6291456)";

  it("finds a subscription with keys in the diff well formed", async () => {
    const file = await runOfAMember("diff", 0, "aggregate", ["application/xcap-diff+xml"]);
    const methods = read(file, "-Y", "sip", "-T", "fields", "-e", "sip.Method", "-e", "sip.Status-Code");
    const said = methods.flatMap((line) => line.split(/[\t,]/)).filter(Boolean);
    expect(said.slice(0, 2)).toEqual(["SUBSCRIBE", "401"]);
    expect(said.filter((word) => word === "NOTIFY")).toHaveLength(3);
    expect(
      read(file, "-Y", `sip && tcp matches "011A[0-9A-F]{400}"`, "-T", "fields", "-e", "frame.number"),
    ).not.toEqual([]);
    expect(read(file, "-Y", ERRORS)).toEqual([]);
  });

  it("reads our MIKEY, a revocation beside the diff, as we wrote it", async () => {
    const accept = ["application/xcap-diff+xml", "multipart/mixed", "application/mikey"];
    const file = await runOfAMember("mikey", 1, "no-patching", accept);
    expect(read(file, "-Y", ERRORS)).toEqual([]);
    const fields = (name: string) =>
      read(file, "-Y", "mikey", "-T", "fields", "-e", name).flatMap((line) => line.split(","));
    expect(fields("mikey.type")).toEqual(["26"]);
    expect(fields("mikey.id.role")).toEqual(["1", "2", "6", "7"]);
    expect(fields("mikey.id.data")).toEqual([GMS_URI, memberUri(1), HOME_KMS, HOME_KMS]);
    expect(fields("mikey.sakke.len")).toEqual(["273"]);
    expect(fields("mikey.sign.len")).toEqual(["129"]);
    const [gmk] = await running.gms.admin.gmks(`${GROUP}-mikey`);
    const purpose = (line: string) => Number(line) >>> 28;
    expect(fields("mikey.csb_id").map(purpose)).toEqual([gmk!.gmkId >>> 28]);
  });
});
