/** Session descriptions of MCVideo calls. */
import { describe, expect, it } from "vitest";
import { utf8 } from "../../../bindings/index.ts";
import {
  isSameMediaFormat,
  type MediaFormat,
  readVideoCallSdp,
  type VideoCallDescription,
  writeVideoCallSdp,
} from "../../../documents/sdp/video-call.ts";

const H264: MediaFormat = {
  type: 98,
  encoding: "H264/90000",
  attributes: [
    ["fmtp", "profile-level-id=42e01f;packetization-mode=1"],
    ["rtcp-fb", "nack pli"],
    ["rtcp-fb", "ccm fir"],
  ],
};
const AMR: MediaFormat = { type: 97, encoding: "AMR-WB/16000", attributes: [["fmtp", "octet-align=1"]] };
const at = (port: number) => ({ host: "192.0.2.1", port });
const CALL: VideoCallDescription = {
  audio: { address: at(5002), formats: [AMR], ssrc: 7 },
  video: { address: at(5004), formats: [H264], profile: "RTP/SAVPF", ssrc: 0xffffffff },
  control: at(5006),
};
const text = (call: VideoCallDescription) => new TextDecoder().decode(writeVideoCallSdp(call, 5));
const withoutOrder = ({ order: _, ...call }: VideoCallDescription) => call;

/** As a client of TS 24.281 6.2.1 writes it, and a stream besides that is of no use here. */
const FOREIGN = [
  "v=0",
  "o=- 1 1 IN IP4 192.0.2.9",
  "s=-",
  "c=IN IP4 192.0.2.9",
  "t=0 0",
  "m=video 4000 RTP/SAVPF 99 98",
  "i=video component of MCVideo",
  "a=rtpmap:99 H265/90000",
  "a=rtpmap:98 H264/90000",
  "a=fmtp:98 profile-level-id=42e01f; packetization-mode=1",
  "a=rtcp-fb:* nack pli",
  "a=ssrc:12345 cname:x@y",
  "m=message 9 TCP/MSRP *",
  "m=application 4002 udp MCVideo",
  "a=fmtp:MCVideo mc_priority=5;mc_queueing",
  "m=audio 0 RTP/SAVP 97",
];

describe("the SDP of a call with video", () => {
  it.each<[string, VideoCallDescription]>([
    ["audio, video and control", CALL],
    ["video and control alone", { video: CALL.video, control: CALL.control }],
    ["no queue", { ...CALL, queueing: false }],
  ])("is read as it was written: %s", (_, call) => {
    expect(withoutOrder(readVideoCallSdp(writeVideoCallSdp(call, 5)))).toEqual(call);
  });

  it("names its streams as TS 24.281 6.2.1 and TS 24.581 4.3.3.1 say", () => {
    const lines = text(CALL).trim().split("\r\n");
    expect(lines).toEqual(
      expect.arrayContaining([
        "m=audio 5002 RTP/SAVP 97",
        "i=audio component of MCVideo",
        "m=video 5004 RTP/SAVPF 98",
        "i=video component of MCVideo",
        "a=rtcp-fb:98 nack pli",
        "m=application 5006 udp MCVideo",
        "a=fmtp:MCVideo mc_queueing",
      ]),
    );
  });

  it("is read with other streams, whose place an answer keeps and whose port is 0 there (RFC 3264 6)", () => {
    const offer = readVideoCallSdp(utf8(FOREIGN.join("\n")));
    expect(offer.video).toEqual({
      address: { host: "192.0.2.9", port: 4000 },
      formats: [
        { type: 99, encoding: "H265/90000", attributes: [["rtcp-fb", "nack pli"]] },
        {
          type: 98,
          encoding: "H264/90000",
          attributes: [
            ["fmtp", "profile-level-id=42e01f; packetization-mode=1"],
            ["rtcp-fb", "nack pli"],
          ],
        },
      ],
      profile: "RTP/SAVPF",
      ssrc: 12345,
    });
    expect([offer.audio, offer.queueing]).toEqual([undefined, undefined]);
    const answer = text({ video: CALL.video, control: CALL.control, order: offer.order! });
    expect(answer.match(/^m=.*$/gm)).toEqual([
      "m=video 5004 RTP/SAVPF 98",
      "m=message 0 TCP/MSRP *",
      "m=application 5006 udp MCVideo",
      "m=audio 0 RTP/SAVP 97",
    ]);
  });

  it("rejects audio that was offered where the answer has none", () => {
    const { order } = readVideoCallSdp(writeVideoCallSdp(CALL, 1));
    expect(text({ video: CALL.video, control: CALL.control, order: order! })).toContain(
      "m=audio 0 RTP/SAVP 97\r\n",
    );
  });

  it.each([
    ["no version", (all: string[]) => all.slice(1)],
    ["no video", (all: string[]) => all.filter((line) => !line.startsWith("m=video"))],
    ["video in clear", (all: string[]) => all.map((line) => line.replace("RTP/SAVPF", "RTP/AVPF"))],
    ["two streams of video", (all: string[]) => [...all, "m=video 1 RTP/SAVP 98"]],
    ["no transmission control", (all: string[]) => all.filter((line) => !line.includes("udp MCVideo"))],
    ["no address", (all: string[]) => all.filter((line) => !line.startsWith("c="))],
    ["a payload type that is none", (all: string[]) => all.map((line) => line.replace("99 98", "200"))],
    ["a port that is none", (all: string[]) => all.map((line) => line.replace("4000", "70000"))],
  ])("is refused with %s", (_, change) => {
    expect(() => readVideoCallSdp(utf8(change(FOREIGN).join("\r\n")))).toThrow(
      expect.objectContaining({ code: "BAD_SDP" }),
    );
  });
});

describe("two formats of a stream", () => {
  const fmtp = (text: string): MediaFormat => ({ ...H264, attributes: [["fmtp", text]] });

  it.each<[boolean, string, MediaFormat]>([
    [true, "with another level", fmtp("profile-level-id=42e00a; packetization-mode=1")],
    [true, "with another spelling", { ...H264, encoding: "h264/90000" }],
    [false, "with another payload type", { ...H264, type: 99 }],
    [false, "with another encoding", { ...H264, encoding: "H265/90000" }],
    [false, "without the packetisation mode", fmtp("profile-level-id=42e01f")],
  ])("are one: %s, %s (RFC 6184 8.2.2)", (are, _, other) => {
    expect(isSameMediaFormat(H264, other)).toBe(are);
  });
});
