/**
 * Spans of OpenTelemetry where the application has `@opentelemetry/api` and a provider; otherwise only the IDs that log
 * lines name an operation by.
 */
import { MikeySakkeError } from "../../base/errors.ts";
import type { RandomSource } from "../../base/random.ts";
import { drawTraceparent, readTraceparent, writeTraceparent } from "../../base/traceparent.ts";

export type SpanAttributes = Readonly<Record<string, string | number | readonly string[]>>;

export interface SpanOptions {
  /** The traceparent of what caused it; a new trace without one. */
  readonly parent?: string | undefined;
  readonly kind?: "internal" | "server" | "producer";
  readonly attributes?: SpanAttributes;
}

export interface Span {
  /** The parent of whatever this step causes, in this process or another. */
  readonly traceparent: string;
  /** @param failure why the step came to nothing, an error or words */
  end(failure?: unknown, attributes?: SpanAttributes): void;
}

export interface Tracing {
  begin(name: string, options?: SpanOptions): Span;
}

const SCOPE = "mikey-sakke";

/** IDs without spans. */
export function idTracing(random: RandomSource): Tracing {
  return {
    begin: (_, { parent } = {}) => ({
      traceparent: writeTraceparent(drawTraceparent(random, readTraceparent(parent))),
      end() {},
    }),
  };
}

/** Spans for the provider that the application has registered by now or registers later. */
export async function loadTracing(random: RandomSource): Promise<Tracing> {
  const ids = idTracing(random);
  const api = await import("@opentelemetry/api").catch((error: unknown) => {
    if ((error as { code?: unknown }).code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw error;
  });
  if (api === undefined) return ids;
  const { isSpanContextValid, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } = api;
  const kinds = { internal: SpanKind.INTERNAL, server: SpanKind.SERVER, producer: SpanKind.PRODUCER };
  return {
    begin(name, options = {}) {
      const { parent, kind = "internal", attributes = {} } = options;
      const given = readTraceparent(parent);
      const context =
        given === undefined
          ? ROOT_CONTEXT
          : trace.setSpanContext(ROOT_CONTEXT, {
              traceId: given.traceId,
              spanId: given.parentId,
              traceFlags: given.sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
              isRemote: true,
            });
      const written = { kind: kinds[kind], attributes: writable(attributes) };
      const span = trace.getTracer(SCOPE).startSpan(name, written, context);
      const { traceId, spanId, traceFlags } = span.spanContext();
      // Without a provider the API hands out a span that is none, or the parent again.
      if (!isSpanContextValid(span.spanContext()) || spanId === given?.parentId)
        return ids.begin(name, options);
      const sampled = (traceFlags & TraceFlags.SAMPLED) === TraceFlags.SAMPLED;
      return {
        traceparent: writeTraceparent({ traceId, parentId: spanId, sampled }),
        end(failure, more = {}) {
          span.setAttributes(writable(more));
          if (failure !== undefined)
            span.setStatus({ code: SpanStatusCode.ERROR, message: wordsOf(failure) });
          span.end();
        },
      };
    },
  };
}

function writable(attributes: SpanAttributes): Record<string, string | number | string[]> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, typeof value === "object" ? [...value] : value]),
  );
}

/** The code alone of an error: its message may quote what a client sent. */
function wordsOf(failure: unknown): string {
  if (failure instanceof MikeySakkeError) return failure.code;
  return typeof failure === "string" ? failure : "internal error";
}
