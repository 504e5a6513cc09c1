/** `inspect` of what holds messages: SIP, multipart, XML, SDP, captures and dumps; and opens them with keys. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { concat, fromBase64, toHex, utf8 } from "../../../base/bytes.ts";
import { writeGktpDocument, writeMultipart, writeXcapDiff } from "../../../documents/group-xml/index.ts";
import { runCli, vector } from "../run-cli.ts";
import { ethernet, ipv4, ipv6, LINK, loopback, pcap, pcapng, tcp, udp } from "./captures.ts";

const published = JSON.parse(readFileSync(vector("production-gmk.json"), "utf8")).message as Record<
  string,
  string
>;
const message = fromBase64(published.i_message_base64!);

interface Shown {
  readonly what: string;
  readonly details: readonly string[];
  readonly message?: { readonly status: string; readonly opened?: Record<string, unknown> };
  readonly parts: readonly Shown[];
}

interface Report {
  readonly status: string;
  readonly form: string;
  readonly contents: readonly Shown[];
}

const keys = ["--cert", vector("production-gmk.cert.xml"), "--keys", vector("production-gmk.alice.xml")];

async function contents(input: string | Uint8Array, ...args: readonly string[]): Promise<Report> {
  return (await runCli(["inspect", "--json", ...args], input)).json<Report>();
}

/** All that is shown, the outer before the inner. */
const flat = (shown: readonly Shown[]): Shown[] => shown.flatMap((one) => [one, ...flat(one.parts)]);
const whats = ({ contents: shown }: Report) => flat(shown).map(({ what }) => what);

function notify(): Uint8Array {
  const diff = { xcapRoot: "https://gms.example.org/xcap", documents: [] };
  const { contentType, body } = writeMultipart([
    { contentType: "application/xcap-diff+xml", body: utf8(writeXcapDiff(diff)) },
    { contentType: "application/mikey", body: message },
  ]);
  const head = [
    "NOTIFY sip:alice@192.0.2.2 SIP/2.0",
    "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1",
    "Max-Forwards: 70",
    "From: <sip:gms@example.org>;tag=a",
    "To: <sip:alice@example.org>;tag=b",
    "Call-ID: one",
    "CSeq: 1 NOTIFY",
    "Contact: <sip:192.0.2.1>",
    "Event: xcap-diff",
    "Subscription-State: active;expires=600",
    `Content-Type: ${contentType}`,
    `Content-Length: ${body.length}`,
  ];
  return concat(utf8(`${head.join("\r\n")}\r\n\r\n`), body);
}

const MESSAGE = `MIKEY message of ${message.length} octets`;
const NOTIFY = ["SIP request NOTIFY", "multipart body, 2 parts", "xcap-diff document", MESSAGE];

describe("inspect", () => {
  it("shows a SIP message with its fields and parts, and opens its I_MESSAGE at its T", async () => {
    const report = await contents(notify(), ...keys, "--from", published.initiator_uri!, "--reveal");
    expect(report).toMatchObject({ status: "ok", form: "SIP" });
    expect(whats(report)).toEqual(NOTIFY);
    expect(report.contents[0]!.details).toContain("Event: xcap-diff");
    expect(flat(report.contents).at(-1)!.message).toMatchObject({
      status: "ok",
      opened: { status: "accepted", keyId: published.key_id, key: expect.stringMatching(/^[0-9a-f]{32}$/) },
    });
  });

  it("says that a message does not open, and ends with 1", async () => {
    const broken = message.slice();
    broken[broken.length - 1]! ^= 1;
    const gktp = writeGktpDocument([{ id: "alice", octets: broken }]);
    const run = await runCli(["inspect", "--json", ...keys, "--from", published.initiator_uri!], gktp);
    expect(run.status).toBe(1);
    const { contents: shown } = run.json<Report>();
    expect(flat(shown).at(-1)!.message!.opened).toMatchObject({ status: "refused", code: "BAD_SIGNATURE" });
  });

  it.each([
    ["a GKTP document", writeGktpDocument([{ id: "alice", octets: message }]), ["GKTPs document", MESSAGE]],
    [
      "a session description",
      `v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 9 RTP/SAVP 0\r\na=key-mgmt:mikey ${published.i_message_base64}\r\n`,
      ["session description (SDP)", MESSAGE],
    ],
    ["a SIP message in hexadecimal", toHex(notify()), NOTIFY],
  ])("finds the message in %s", async (_, input, expected) => {
    expect(whats(await contents(input))).toEqual(expected);
  });

  it("reads a multipart body without its header fields", async () => {
    const { body } = writeMultipart([{ contentType: "application/mikey", body: message }]);
    const report = await contents(body);
    expect(whats(report)).toEqual(["multipart body, 1 parts", MESSAGE]);
  });

  const flows = ["UDP 192.0.2.1:5060 to 192.0.2.2:5062"];
  it.each([
    ["pcap, Ethernet with VLAN", pcap(LINK.ethernet, ethernet(ipv4(17, udp(5060, 5062, notify())), 0x0800))],
    ["pcap, loopback", pcap(LINK.null, loopback(ipv4(17, udp(5060, 5062, notify())), 2))],
    ["pcapng, raw IP", pcapng(LINK.raw, ipv4(17, udp(5060, 5062, notify())))],
  ])("reads a capture: %s", async (_, input) => {
    const report = await contents(input);
    expect(report).toMatchObject({ status: "ok", form: "capture" });
    const [first, ...rest] = whats(report);
    expect(first).toBe(`2023-11-14T22:13:20.500Z  ${flows[0]}: ${NOTIFY[0]}`);
    expect(rest).toEqual(NOTIFY.slice(1));
  });

  it("reads TCP over IPv6 with reordered and repeated segments as one stream with two messages", async () => {
    const stream = concat(notify(), notify());
    const at = [0, 700, stream.length - 400, stream.length];
    const [a, b, c] = [0, 1, 2].map((i) =>
      ipv6(6, tcp(5060, 40000, 1001 + at[i]!, stream.subarray(at[i], at[i + 1]))),
    ) as [Uint8Array, Uint8Array, Uint8Array];
    const report = await contents(
      pcap(LINK.raw, ipv6(6, tcp(5060, 40000, 1000, new Uint8Array(), true)), a, c, a, b),
    );
    expect(whats(report)).toEqual([
      "2023-11-14T22:13:20.500Z  TCP [2001:db8::1]:5060 to [2001:db8::2]:40000: 2 SIP messages",
      ...NOTIFY,
      ...NOTIFY,
    ]);
    const lost = await contents(pcap(LINK.raw, a, c));
    expect(whats(lost).at(-1)).toContain("a message that breaks off");
  });

  it("names media packets", async () => {
    const rtp = concat(
      Uint8Array.of(0x80, 0x60, 0, 7, 0, 0, 0, 1, 0xde, 0xad, 0xbe, 0xef),
      new Uint8Array(40),
    );
    const report = await contents(pcap(LINK.raw, ipv4(17, udp(4000, 4002, rtp))));
    expect(whats(report)[0]).toContain("RTP or SRTP packet, payload type 96");
    expect(report.contents[0]!.details).toEqual(["SSRC deadbeef, sequence number 7, 52 octets"]);
  });

  it.each([
    ["xxd", (hex: string, at: string) => `${at}: ${hex.match(/..?.?.?/g)!.join(" ")}  ................`],
    [
      "hexdump -C",
      (hex: string, at: string) =>
        `${at}  ${hex.slice(0, 16).match(/../g)!.join(" ")}  ${(hex.slice(16).match(/../g) ?? []).join(" ")}  |....|`,
    ],
    ["Wireshark", (hex: string, at: string) => `${at.slice(-4)}   ${hex.match(/../g)!.join(" ")}   ab cd ef`],
    ["tcpdump -x", (hex: string, at: string) => `\t0x${at.slice(-4)}:  ${hex.match(/..?.?.?/g)!.join(" ")}`],
  ])("reads a dump of %s", async (_, line) => {
    const rows = toHex(message).match(/.{1,32}/g)!;
    const dump = rows.map((hex, i) => line(hex, (16 * i).toString(16).padStart(8, "0"))).join("\n");
    const run = await runCli(["inspect", "--json"], dump);
    expect(run.json()).toMatchObject({ status: "ok", form: "hex", octets: message.length });
  });

  it.each([
    ["that breaks off", pcap(LINK.raw, ipv4(17, udp(1, 2, message))).slice(0, -1), "BAD_CAPTURE"],
    ["whose block is too short", pcapng(LINK.raw).fill(0, 4, 8), "BAD_CAPTURE"],
  ])("refuses a capture %s", async (_, input, code) => {
    const run = await runCli(["inspect", "--json"], input);
    expect([run.status, run.json().code]).toEqual([1, code]);
  });

  it("needs certificate and keys together", async () => {
    const run = await runCli(["inspect", "--json", "--cert", vector("production-gmk.cert.xml")], message);
    expect([run.status, run.json().code]).toEqual([2, "BAD_CALL"]);
  });
});
