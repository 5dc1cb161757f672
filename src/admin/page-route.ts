import type { FastifyInstance, FastifyRequest } from "fastify";
import { statusPage } from "../page/status-page.js";
import type { Recorder } from "../recorder.js";
import { statusText } from "./status-text.js";

/** `GET /`: the status page for browsers, how the tables stand as text for everybody else. */
export function pageRoute(app: FastifyInstance, recorder: Pick<Recorder, "stats">): void {
  const { html, headers } = statusPage();
  app.get("/", (request, reply) => {
    void reply.header("Vary", "Accept");
    if (wantsPage(request)) return reply.headers(headers).send(html);
    return reply
      .type("text/plain; charset=utf-8")
      .send(`${statusText(recorder.stats())}\nthe same as JSON: /api/status\n`);
  });
}

/** Whether a request is a browser's for the page. It says nothing of the recorder, so that anyone may have it. */
export function wantsPage({ method, url, headers }: FastifyRequest): boolean {
  const reads = method === "GET" || method === "HEAD";
  return reads && url.split("?")[0] === "/" && (headers.accept ?? "").includes("text/html");
}
