import type { FastifyInstance } from "fastify";
import { openapiDocument } from "./openapi/document.js";

/** `GET /api/openapi.json`: what there is to be asked for. It is made once, when somebody asks. */
export function openapiRoute(app: FastifyInstance): void {
  let document: object | undefined;
  app.get("/api/openapi.json", () => {
    document ??= openapiDocument();
    return document;
  });
}
