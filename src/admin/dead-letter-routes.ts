import type { FastifyInstance } from "fastify";
import { ColdpathError } from "../base/errors.js";
import { MIB } from "../base/units.js";
import { Parameters } from "./parameters.js";

/** Which letters: by id, by table, or all. */
interface Chosen {
  readonly ids?: ReadonlySet<string> | undefined;
  readonly table?: string | undefined;
}

/** Rows that were refused, and what can be asked of them; `letters/summary.ts` and `letters/table-retry.ts` tell what is answered. */
export interface DeadLetterOffice {
  summary(table: string | undefined): Promise<object>;
  retry(chosen: Chosen): Promise<readonly object[]>;
}

const BODY_MAX: number = MIB;

/** `GET /api/dead-letters` counts them by table and reason, `POST /api/dead-letters/retry` tries them again. */
export function deadLetterRoutes(app: FastifyInstance, office: DeadLetterOffice): void {
  app.get("/api/dead-letters", ({ query }) => office.summary(new Parameters(query, ["table"]).one("table")));
  app.register(async (scope) => {
    scope.addContentTypeParser(
      "application/json",
      { parseAs: "string", bodyLimit: BODY_MAX },
      scope.getDefaultJsonParser("error", "error"),
    );
    scope.post("/api/dead-letters/retry", async ({ body }) => ({
      tables: await office.retry(chosenIn(body)),
    }));
  });
}

/** Nothing is tried unless it is named: an empty body is a mistake rather than everything. */
function chosenIn(body: unknown): Chosen {
  const { ids, table, all } = (body ?? {}) as Readonly<Record<string, unknown>>;
  if (ids === undefined && table === undefined && all === true) return {};
  if (ids === undefined && typeof table === "string" && all === undefined) return { table };
  if (table === undefined && all === undefined && areTexts(ids)) return { ids: new Set(ids) };
  throw new ColdpathError("USAGE", 'say which letters: {"ids": ["…"]}, {"table": "orders"} or {"all": true}');
}

function areTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === "string");
}
