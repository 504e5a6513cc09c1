/** `inspect --wireshark`: a capture with a group's key and its speech comes out with the speech in clear. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { concat, fromBase64, fromHex, toHex } from "../../../base/bytes.ts";
import { DeliveredKey, type KeyId } from "../../../bindings/index.ts";
import { GroupMedia } from "../../../bindings/media/index.ts";
import { framesOf } from "../../../cli/inspect/capture.ts";
import { packetOf } from "../../../cli/inspect/network.ts";
import { describeWith } from "../../support/foreign.ts";
import { runCli, vector } from "../run-cli.ts";
import { ethernet, ipv4, ipv6, LINK, pcap, tcp, udp } from "./captures.ts";

const TSHARK = "/usr/bin/tshark";
const published = JSON.parse(readFileSync(vector("production-gmk.json"), "utf8")).message as Record<
  string,
  string
>;
const message = fromBase64(published.i_message_base64!);
const keys = ["--cert", vector("production-gmk.cert.xml"), "--keys", vector("production-gmk.alice.xml")];
const opened = [...keys, "--from", published.initiator_uri!];

const speech = (sequence: number) =>
  concat(
    Uint8Array.of(0x80, 8, 0, sequence, 0, 0, 0, sequence, 0xde, 0xad, 0xbe, 0xef),
    new Uint8Array(160).fill(sequence),
  );

describe("inspect --wireshark", () => {
  let folder: string;
  let sealed: Uint8Array[];
  let capture: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "mikey-sakke-"));
    const run = await runCli(
      ["open", "--json", "--at", "2025-10-02T23:47:52Z", ...opened, "--reveal"],
      message,
    );
    const told = run.json<Record<"key" | "keyId" | "ukId" | "rand", string>>();
    const id = (text: string) => Number.parseInt(text, 16) as KeyId;
    const key = new DeliveredKey(fromHex(told.key), {
      kind: "GMK",
      keyId: id(told.keyId),
      ukId: id(told.ukId),
      rand: fromHex(told.rand),
    });
    const media = new GroupMedia({ keys: { sending: () => key, receiving: () => key }, service: "mcptt" });
    const sender = media.sender(0xdeadbeef);
    sealed = [];
    for (const sequence of [1, 2, 3]) sealed.push(await sender.protect(speech(sequence)));
    capture = join(folder, "sealed.pcap");
    const [one, two, three] = sealed as [Uint8Array, Uint8Array, Uint8Array];
    const changed = three.slice();
    changed[changed.length - 20]! ^= 1;
    const frames = [
      ipv4(17, udp(4000, 4002, one)),
      // The relay sends the same packet to each leg.
      ipv6(17, udp(4002, 4004, one)),
      ipv4(17, udp(4000, 4002, two)),
      ipv4(17, udp(4000, 4002, changed)),
      // The key comes after the speech, as where the capture began late and the GMS sent it again.
      ipv4(17, udp(5060, 5062, message)),
      ipv4(6, tcp(5060, 5062, 1, Uint8Array.of(1, 2, 3))),
    ].map((packet) => ethernet(packet, packet[0]! >> 4 === 4 ? 0x0800 : 0x86dd));
    writeFileSync(capture, pcap(LINK.ethernet, ...frames));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const payloads = (file: string) =>
    framesOf(new Uint8Array(readFileSync(file))).map((frame) => {
      const { source, segment } = packetOf(frame)!;
      return { time: frame.time, source, octets: toHex(segment.slice(8, segment.length)) };
    });

  it("writes a capture with the speech in clear, each copy of it, and everything else as it was", async () => {
    const file = join(folder, "clear.pcap");
    const run = await runCli(["inspect", "--json", capture, ...opened, "--wireshark", file]);
    expect(run.status).toBe(0);
    expect(run.json()).toMatchObject({ decrypted: { file, packets: 6, decrypted: 3 } });
    const [before, after] = [payloads(capture), payloads(file)];
    expect(after.map(({ time, source }) => ({ time, source }))).toEqual(
      before.map(({ time, source }) => ({ time, source })),
    );
    expect(after.slice(0, 3).map(({ octets }) => octets)).toEqual([1, 1, 2].map((n) => toHex(speech(n))));
    expect(after.slice(3)).toEqual(before.slice(3));
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("does not overwrite a file, and needs a capture and keys", async () => {
    const there = join(folder, "there.pcap");
    writeFileSync(there, "mine");
    const run = await runCli(["inspect", "--json", capture, ...opened, "--wireshark", there]);
    expect([run.status, run.json().code]).toEqual([73, "FILE_EXISTS"]);
    expect(readFileSync(there, "utf8")).toBe("mine");
    const other = join(folder, "other.pcap");
    for (const args of [[capture], ["-", ...opened]]) {
      const refused = await runCli(["inspect", "--json", ...args, "--wireshark", other], message);
      expect([refused.status, refused.json().code]).toEqual([2, "NOT_A_CAPTURE"]);
    }
  });

  describeWith("tshark", TSHARK, "tshark on the capture of inspect --wireshark", () => {
    it("reads the speech, and finds all lengths and checksums right", async () => {
      const file = join(folder, "for-tshark.pcap");
      await runCli(["inspect", "--json", capture, ...opened, "--wireshark", file]);
      const checks = ["ip.check_checksum", "udp.check_checksum"].flatMap((name) => ["-o", `${name}:TRUE`]);
      const read = (filter: string, ...fields: readonly string[]) =>
        execFileSync(
          TSHARK,
          ["-r", file, "-d", "udp.port==4002,rtp", ...checks, "-Y", filter, "-T", "fields"].concat(
            fields.flatMap((field) => ["-e", field]),
          ),
          { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
        )
          .trim()
          .split("\n");
      expect(
        read("rtp && frame.number <= 3", "rtp.seq", "ip.checksum.status", "udp.checksum.status"),
      ).toEqual(["1\t1\t1", "1\t\t1", "2\t1\t1"]);
      const [first] = read("rtp && frame.number == 1", "rtp.payload");
      expect(first!.replaceAll(":", "")).toBe("01".repeat(160));
    });
  });
});
