import { z } from "zod";
import { packageVersion } from "../../base/version.js";
import { SCHEMAS } from "./answers.js";
import { type Content, OPERATIONS, type Operation } from "./operations.js";

type Json = Readonly<Record<string, unknown>>;

/** What the admin API is, as OpenAPI 3.1: made of the operations and the schemas of what they take and answer. */
export function openapiDocument(): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const operation of OPERATIONS) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: described(operation) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "coldpath",
      version: packageVersion(),
      description: "What operators ask of a running recorder, and the HTTP intake of rows.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
      schemas: Object.fromEntries(
        Object.entries(SCHEMAS).map(([name, schema]) => [name, withoutDialect(z.toJSONSchema(schema))]),
      ),
    },
    paths,
  };
}

function described({ summary, isOpen, parameters = [], body, answers, path, method }: Operation): Json {
  const common = {
    403: "a foreign Host or Origin",
    ...(isOpen ? {} : { 401: "no token, or a wrong one", 429: "too many wrong tokens" }),
  };
  return {
    operationId: `${method} ${path}`.replace(/[^a-z0-9]+/gi, "_").replace(/_$/, ""),
    summary,
    // Not on loopback, reading needs it too.
    security: isOpen ? [{}, { token: [] }] : [{ token: [] }],
    parameters: [...path.matchAll(/\{(\w+)\}/g)]
      .map(([, name]) => ({ name, in: "path", required: true, schema: { type: "string" } }) as Json)
      .concat(
        parameters.map(({ name, description }) => ({
          name,
          in: "query",
          description,
          schema: { type: "string" },
        })),
      ),
    ...(body === undefined ? {} : { requestBody: { required: true, content: contentOf(body) } }),
    responses: Object.fromEntries([
      ...Object.entries(answers).map(([status, { description, content }]) => [
        status,
        { description, content: contentOf(content) },
      ]),
      ...Object.entries(common)
        .filter(([status]) => !(status in answers))
        .map(([status, description]) => [status, { description, content: contentOf("Failure") }]),
    ]),
  };
}

/** A schema by name, or a media type whose content is described in words; or several. */
function contentOf(content: Content | readonly Content[]): Json {
  return Object.fromEntries([content].flat().map(mediaOf));
}

function mediaOf(content: Content): [type: string, media: Json] {
  if (content in SCHEMAS)
    return ["application/json", { schema: { $ref: `#/components/schemas/${content}` } }];
  return [content, { schema: { type: content === "application/json" ? "object" : "string" } }];
}

/** That of the document holds for all. */
function withoutDialect({ $schema: _, ...schema }: Json): Json {
  return schema;
}
