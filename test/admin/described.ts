import assert from "node:assert/strict";
import { Ajv2020, type AnySchemaObject } from "ajv/dist/2020.js";

/** One request and what it was answered. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly sent: unknown;
  readonly status: number;
  readonly contentType: string;
  readonly received: unknown;
}

interface Media {
  readonly schema: AnySchemaObject;
}

interface Described {
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, { readonly content: Readonly<Record<string, Media>> }>>;
}

export interface OpenapiDocument {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: object;
}

/** Holds what was asked and answered against an OpenAPI document. */
export class Description {
  readonly #document: OpenapiDocument;
  readonly #ajv: Ajv2020;

  constructor(document: OpenapiDocument) {
    this.#document = document;
    this.#ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
    this.#ajv.addSchema({ $id: "openapi", components: document.components });
  }

  /** `get /api/status` of each operation. */
  get operations(): string[] {
    return Object.entries(this.#document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
  }

  /** The operation that an exchange belongs to; fails if the document does not say that it may be so. */
  check({ method, path, sent, status, contentType, received }: Exchange): string {
    const [bare] = path.split("?");
    const name = Object.keys(this.#document.paths).find((each) =>
      new RegExp(`^${each.replace(/\{\w+\}/g, "[^/]+")}$`).test(bare!),
    );
    const where = `${method} ${path} answered ${status}`;
    assert.ok(name !== undefined, `${where}: the path is not described`);
    const operation = this.#document.paths[name]?.[method.toLowerCase()];
    assert.ok(operation !== undefined, `${where}: the method is not described`);
    const response = operation.responses[status];
    assert.ok(response !== undefined, `${where}: the status is not described`);
    const [type] = contentType.split(";");
    const media = response.content[type!];
    assert.ok(media !== undefined, `${where}: ${type} is not described`);
    if (type === "application/json") this.#fits(media.schema, received, where);
    // What was refused need not have been right.
    const body = operation.requestBody?.content["application/json"];
    if (status === 200 && body !== undefined) this.#fits(body.schema, sent, `${where}, its body`);
    return `${method.toLowerCase()} ${name}`;
  }

  #fits(schema: AnySchemaObject, value: unknown, where: string): void {
    const text = JSON.stringify(schema).replaceAll('"#/', '"openapi#/');
    const validate = this.#ajv.compile(JSON.parse(text) as AnySchemaObject);
    assert.ok(
      validate(value),
      `${where}: ${JSON.stringify(validate.errors?.map(({ instancePath, message, params }) => [instancePath, message, params]))}`,
    );
  }
}
