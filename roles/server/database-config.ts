/** The part of a server's configuration that says where its database is. */
import { z } from "zod";

export const databaseSchema = z.strictObject({
  /** PostgreSQL, as postgresql://…; one with a pooler before it (PgBouncer, in transaction mode too) will do. */
  url: z.string().optional(),
  /** Folder of PGlite, in place of PostgreSQL. */
  folder: z.string().optional(),
  /** Connections to PostgreSQL at most, besides one that listens. */
  pool: z.number().int().min(1).max(1000).default(6),
  /** PostgreSQL itself, where `url` leads to a pooler: it cannot pass on notifications, without which processes poll. */
  listenUrl: z.string().optional(),
});

export type DatabaseConfig = z.output<typeof databaseSchema>;
