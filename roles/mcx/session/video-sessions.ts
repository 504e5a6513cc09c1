/** The calls of groups with video (TS 24.281 9.2), which may go on beside those with speech alone. */
import { defined } from "../../../base/defined.ts";
import {
  isSameMediaFormat,
  type MediaFormat,
  type MediaStream,
  type VideoCallDescription,
} from "../../../documents/sdp/video-call.ts";
import { refused } from "../common/errors.ts";
import { type Call, type CallMember, GroupCalls, type GroupCallsOptions } from "./group-calls.ts";
import type { SessionMember } from "./group-session.ts";
import type { SessionFacts, SessionMaker } from "./session-maker.ts";

export interface VideoMember extends CallMember {
  /** Addresses are those of the member. */
  readonly offer: VideoCallDescription;
}

/** The formats of a call, each that of all who take part. */
export interface VideoFormats {
  readonly video: MediaFormat;
  /** Undefined until somebody offers audio. */
  readonly audio: MediaFormat | undefined;
}

type VideoCall = Call<VideoMember, VideoFormats>;

/** Joining throws usage `NO_COMMON_VIDEO` too. */
export class VideoSessions extends GroupCalls<VideoMember, VideoFormats, VideoCallDescription> {
  /** They share the ports of that maker with other calls. */
  constructor(maker: SessionMaker, options: GroupCallsOptions) {
    super("mcvideo", maker, options);
  }

  protected formatOf(_groupUri: string, call: VideoCall, { offer }: VideoMember): VideoFormats {
    const chosen = call.participants.size === 0 ? undefined : call.format;
    const video = chosen?.video ?? offer.video.formats[0];
    if (video === undefined || ownFormat(offer.video, video) === undefined) {
      const needed = video === undefined ? "no format" : `${video.encoding} as type ${video.type}`;
      throw refused("NO_COMMON_VIDEO", `the call is in ${needed}, which is not offered`);
    }
    return { video, audio: chosen?.audio ?? offer.audio?.formats[0] };
  }

  /** Audio in another format than that of the call is neither sent nor received. */
  protected override partOf(member: VideoMember, { audio }: VideoFormats): SessionMember {
    const { offer } = member;
    const hasAudio = offer.audio !== undefined && audio !== undefined && ownFormat(offer.audio, audio);
    return hasAudio ? { ...member, voice: offer.audio.address } : member;
  }

  protected factsOf(groupUri: string): SessionFacts {
    return { groupUri };
  }

  /** Formats are answered as the member has offered them: a receiver states what it is able to receive (RFC 6184 8.2.2). */
  protected describe({ session, format }: VideoCall, { offer, queueing }: VideoMember): VideoCallDescription {
    const { media, floor, queueing: mayWait } = this.maker.describe(session, queueing);
    const voice = { host: media.host, port: session.ports.voice! };
    const audio = answerTo(offer.audio, format?.audio, voice);
    return {
      video: answerTo(offer.video, format?.video, media)!,
      ...defined({ audio }),
      control: floor,
      ...defined({ queueing: mayWait }),
      ...defined({ order: offer.order }),
    };
  }
}

/** Returns the answer to a stream; undefined where it is not offered in the format of the call, and is rejected. */
function answerTo(
  offered: MediaStream | undefined,
  chosen: MediaFormat | undefined,
  address: MediaStream["address"],
): MediaStream | undefined {
  const format = offered && chosen && ownFormat(offered, chosen);
  return format && { address, formats: [format], ...defined({ profile: offered.profile }) };
}

function ownFormat({ formats }: MediaStream, chosen: MediaFormat): MediaFormat | undefined {
  return formats.find((one) => isSameMediaFormat(one, chosen));
}
