/**
 * The part of a configuration that says how a server proves itself to the KMS that keys it, for whoever starts it. Paths
 * of files.
 */
import { z } from "zod";

export const provisioningSchema = z.strictObject({
  /** The access token, read anew for each request. */
  tokenFile: z.string().min(1).optional(),
  /** Data folder of a KMS on this machine that takes development tokens, in place of `tokenFile`. */
  developmentFolder: z.string().min(1).optional(),
  /** ClientId of requests (D.2.2), and client_id of a development token. */
  clientId: z.string().min(1).optional(),
  /** PEM file of the certificates to trust for HTTPS, in place of the system's. */
  caFile: z.string().min(1).optional(),
  /** TrK and InK of the server, as `kms transport-key` writes them. */
  trkFile: z.string().min(1).optional(),
  inkFile: z.string().min(1).optional(),
});

export type Provisioning = z.output<typeof provisioningSchema>;
