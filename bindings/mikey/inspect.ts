/**
 * Shows a message as far as it can be read, field by field, with everything that is wrong with it. Uses the
 * same walk and the same checks as the strict reader.
 */
import { refusal } from "../../base/checks.ts";
import { MikeySakkeError, requireBytes } from "../../base/errors.ts";
import { EXT_KEY_PARAMETERS, EXT_SAKKE_TO_SELF } from "./codes.ts";
import { readSakkeToSelf } from "./general-extension.ts";
import type { Hdr } from "./hdr.ts";
import { problemsOf } from "./i-message.ts";
import { EXTENSION_HEADER_BYTES, MAX_MESSAGE_BYTES, type Section, walk } from "./message.ts";
import { decodeProtectedPayload, isUnprotectedForm } from "./protected-payload.ts";
import { type Field, Reader } from "./reader.ts";
import type { Tolerance } from "./tolerance.ts";

export interface InspectedSection {
  /** "HDR" or the name of the payload. */
  readonly name: string;
  readonly code: number | undefined;
  readonly offset: number;
  readonly length: number;
  readonly fields: readonly Field[];
}

export interface Inspection {
  readonly sections: readonly InspectedSection[];
  /** Failed checks 1 to 29, 46 and 48, structural ones first. Empty: the message can be handed to `parseMessage`. */
  readonly problems: readonly MikeySakkeError[];
  /** Octets behind the last thing that could be read. */
  readonly unread: { readonly offset: number; readonly length: number } | undefined;
}

/** Never throws for what the octets hold, only for octets that are none. */
export function inspectMessage(
  octets: Uint8Array,
  options: { tolerance?: Tolerance; maxBytes?: number } = {},
): Inspection {
  requireBytes(octets, "message");
  const sections: Section[] = [];
  const problems: MikeySakkeError[] = [];
  let hdr: Hdr | undefined;
  collect(problems, () =>
    walk(octets, sections, {
      maxBytes: options.maxBytes ?? MAX_MESSAGE_BYTES,
      trace: true,
      onHdr: (read) => {
        hdr = read;
      },
    }),
  );
  for (const section of sections) collect(problems, () => traceExtension(octets, section, options.tolerance));
  if (hdr !== undefined)
    problems.push(...semanticProblems(octets, hdr, sections, problems.length > 0, options.tolerance));
  const last = sections.at(-1);
  const end = last === undefined ? 0 : last.offset + last.length;
  return {
    sections: sections.map(({ name, code, offset, length, fields }) => ({
      name,
      code,
      offset,
      length,
      fields,
    })),
    problems,
    unread: end < octets.length ? { offset: end, length: octets.length - end } : undefined,
  };
}

/** When the walk broke off, what lies behind the break is not missing, only unread. */
function semanticProblems(
  octets: Uint8Array,
  hdr: Hdr,
  sections: readonly Section[],
  broken: boolean,
  tolerance: Tolerance | undefined,
): MikeySakkeError[] {
  const read = sections.filter((s) => s.payload !== undefined);
  const payloads = read.map((s) => s.payload!);
  const found = problemsOf({ octets, hdr, payloads, offsets: read.map((s) => s.offset) }, tolerance);
  return broken ? found.filter((p) => p.code !== "MISSING_PAYLOAD") : found;
}

/** Adds the fields inside the two extensions that TS 33.180 defines. */
function traceExtension(octets: Uint8Array, section: Section, tolerance: Tolerance = {}): void {
  const { payload } = section;
  if (payload?.payload !== "GENERAL_EXT") return;
  const start = section.offset + EXTENSION_HEADER_BYTES;
  const reader = new Reader(octets, { start, end: start + payload.data.length, trace: section.fields });
  if (payload.type === EXT_SAKKE_TO_SELF) {
    // What is wrong in there is check 28 and comes with the semantic problems.
    collect([], () => readSakkeToSelf(reader));
  } else if (payload.type === EXT_KEY_PARAMETERS) {
    if (isUnprotectedForm(payload.data)) {
      if (tolerance.unprotectedParameters) return;
      throw refusal("UNPROTECTED_PARAMETERS", "key parameters: in the clear", { offset: start });
    }
    try {
      decodeProtectedPayload(reader);
    } catch (cause) {
      if (!(cause instanceof MikeySakkeError)) throw cause;
      const text = `protected payload: ${cause.message}`;
      throw refusal("BAD_PROTECTED_PAYLOAD", text, { offset: cause.offset ?? start, cause });
    }
  }
}

function collect(problems: MikeySakkeError[], step: () => unknown): void {
  try {
    step();
  } catch (error) {
    if (!(error instanceof MikeySakkeError)) throw error;
    problems.push(error);
  }
}
