/** The OpenAPI document of the admin API of an MCX server. */
import { documentOf, type Json, OPERATOR_SCHEME } from "../../server/openapi.ts";
import { MCX_ADMIN_ROOT, OPERATIONS, SCHEMAS } from "./operations.ts";

const FAULTS: Readonly<Record<number, string>> = {
  401: "not the operator's token",
  500: "the server failed",
};

export function openApiDocument(): Json {
  return documentOf({
    title: "Admin API of an MCX server",
    description: "Calls, those that are over too, clients and emergencies of one process.",
    operations: Object.entries(OPERATIONS).map(([id, { path, ...operation }]) => ({
      ...{ id, status: 200, ...operation },
      path: `${MCX_ADMIN_ROOT}${path}`,
    })),
    schemas: SCHEMAS,
    faults: FAULTS,
    security: [{ operator: [] }],
    securitySchemes: { operator: OPERATOR_SCHEME },
  });
}
