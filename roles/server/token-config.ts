/** The part of a configuration about access tokens. Times are in seconds. */
import { z } from "zod";

/** Scope to the claims whose identities it stands for (B.4.2.2). */
export type TokenScopes = Readonly<Record<string, readonly string[]>>;

/** @param scopes those that count where the configuration names none */
export function tokenConfigSchema(scopes: TokenScopes) {
  const defaults = Object.fromEntries(Object.entries(scopes).map(([scope, claims]) => [scope, [...claims]]));
  const schema = z.strictObject({
    /** `iss` of the tokens. */
    issuer: z.string().min(1),
    /** One of these must be in `aud`. Needed unless `requireAudience` is false. */
    audience: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).optional(),
    /** Whether tokens without `iss` are refused; TS 33.180 B.2.2.2 has none. One that is there must be right. */
    requireIssuer: z.boolean().default(true),
    /** Whether tokens without `aud` are refused, as for `iss`. Without it only the scope tells tokens for one server from those for another. */
    requireAudience: z.boolean().default(true),
    /** The URL of the issuer's keys. Either this or `jwks`. */
    jwksUri: z.url().optional(),
    /** PEM file of the certificates to trust at `jwksUri`, in place of the system's. */
    caFile: z.string().min(1).optional(),
    /** For how long the last known keys count while none can be fetched from `jwksUri`. */
    jwksGrace: z
      .number()
      .int()
      .min(0)
      .max(30 * 86_400)
      .default(12 * 3600),
    /** The keys of the issuer themselves. */
    jwks: z.strictObject({ keys: z.array(z.record(z.string(), z.unknown())).min(1) }).optional(),
    /** A token needs one of these scopes, in `scope`, or in `scp` where there is no `scope`. */
    scopes: z.record(z.string().min(1), z.array(z.string().min(1))).default(defaults),
    /** Signature algorithms; those with a shared secret are not to be had. */
    algorithms: z
      .array(
        z.enum(["ES256", "ES384", "ES512", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"]),
      )
      .min(1)
      .default(["ES256", "ES384", "EdDSA", "PS256", "RS256"]),
    /** Difference of clocks granted to `exp` and `nbf`. */
    clockSkew: z.number().int().min(0).max(300).default(5),
  });
  return schema
    .refine((t) => (t.jwksUri === undefined) !== (t.jwks === undefined), "needs either jwksUri or jwks")
    .refine((t) => t.caFile === undefined || t.jwksUri?.startsWith("https:"), {
      path: ["caFile"],
      message: "is for a jwksUri with https",
    })
    .refine((t) => t.audience !== undefined || !t.requireAudience, {
      path: ["audience"],
      message: "needed, unless requireAudience is false",
    });
}

export type TokenConfig = z.output<ReturnType<typeof tokenConfigSchema>>;
