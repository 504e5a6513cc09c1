/** A group call by way of the server: INVITE with addresses, then media and floor control there (TS 24.379 10.1). */
import { utf8 } from "../../../bindings/index.ts";
import type { JitterBufferOptions } from "../../../bindings/media/index.ts";
import { MEDIA, writeMcpttInfo, writeMultipart } from "../../../transport/group-xml/index.ts";
import { readCallSdp, writeCallSdp } from "../../../transport/sdp/call.ts";
import { sealSignalling } from "../../../transport/signalling-xml/index.ts";
import type { SessionEnd } from "../../../transport/sip/index.ts";
import type { CallEvent } from "../media/call-events.ts";
import { GroupCall } from "../media/group-call.ts";
import { withToken } from "./authorised.ts";
import { McxRefusedError } from "./binding.ts";
import type { HeldControlKeys } from "./held-control-keys.ts";
import type { McxClientOptions } from "./options.ts";

export interface CallOptions {
  /** Users of the group as far as they are known, for the names of who is heard. */
  readonly members?: () => readonly string[];
  readonly jitter?: JitterBufferOptions;
  readonly onEvent?: (event: CallEvent) => void;
  /** The server ended the call, as when the user was removed from the group. */
  readonly onEnd?: (end: SessionEnd) => void;
}

export interface McxCall {
  readonly call: GroupCall;
  /** Leaves the call and closes its sockets. */
  hangUp(): Promise<void>;
}

/** @throws {McxRefusedError}; SIP transport errors; codec `BAD_SDP`; usage `NO_SIGNALLING_KEY` when no CSK is uploaded */
export async function placeCall(
  options: McxClientOptions,
  held: HeldControlKeys,
  groupUri: string,
  { members, jitter, onEvent, onEnd }: CallOptions,
): Promise<McxCall> {
  const { endpoint, userUri, mcxUri, sipUri, random, openPort, clock, token, groupKeys } = options;
  const ports = [await openPort(), await openPort()] as const;
  const [mediaPort, floorPort] = ports;
  try {
    const info = writeMcpttInfo({ requestType: "prearranged", requestUri: groupUri, callingUser: userUri });
    const id = new DataView(random(4).buffer).getUint32(0);
    const offer = writeCallSdp({ media: mediaPort.address, floor: floorPort.address }, id);
    const parts = [
      { contentType: MEDIA.mcpttInfo, body: utf8(info) },
      { contentType: MEDIA.sdp, body: offer },
    ];
    const { contentType, body } = writeMultipart(await sealSignalling(parts, held.xml.sending, { random }));
    const { response, session } = await endpoint.invite({
      uri: sipUri,
      from: userUri,
      to: mcxUri,
      contentType,
      body,
      headers: await withToken(token),
      onEnd(end) {
        void call?.close();
        onEnd?.(end);
      },
    });
    if (session === undefined) throw new McxRefusedError("INVITE", response);
    let call: GroupCall | undefined;
    try {
      const answer = readCallSdp(response.body);
      const multicast = answer.multicast && {
        media: await openPort(answer.multicast.media),
        floor: await openPort(answer.multicast.floor),
      };
      call = new GroupCall({
        groupUri,
        userUri,
        keys: groupKeys(groupUri),
        mediaPort,
        floorPort,
        server: answer,
        ...(multicast && { multicast }),
        control: held,
        controlSsrc: held.nextSsrc(),
        mixer: mcxUri,
        ...(answer.multiTalker && { floor: { multiTalker: true } }),
        ...(members && { members }),
        ...(jitter && { jitter }),
        clock,
        now: () => clock.now(),
        random,
        ...(onEvent && { onEvent }),
      });
    } catch (error) {
      await session.bye();
      throw error;
    }
    const established = call;
    return {
      call: established,
      async hangUp() {
        await session.bye();
        await established.close();
      },
    };
  } catch (error) {
    await Promise.all(ports.map((port) => port.close()));
    throw error;
  }
}
