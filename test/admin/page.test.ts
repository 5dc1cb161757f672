import assert from "node:assert/strict";
import { test } from "node:test";
import { startBare } from "./bare-server.js";

const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

test("a browser gets the status page, which nothing but its service may frame or feed", async (t) => {
  const { admin } = await startBare(t);
  const answer = await fetch(`${admin.url}/`, { headers: { accept: BROWSER } });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("content-type"), "text/html; charset=utf-8");
  assert.match(answer.headers.get("content-security-policy")!, /^default-src 'none'; script-src 'sha256-/);
  assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
  assert.equal(answer.headers.get("vary"), "Accept");
  assert.match(await answer.text(), /^<!doctype html>/);
});

test("beyond loopback anyone gets the empty page, and what it asks for needs the token", async (t) => {
  const { admin } = await startBare(t, { listen: { host: "0.0.0.0", port: 0 } });
  const url = admin.url.replace("0.0.0.0", "127.0.0.1");
  assert.equal((await fetch(`${url}/`, { headers: { accept: BROWSER } })).status, 200);
  for (const [path, accept] of [
    ["/", "*/*"],
    ["/api/status", BROWSER],
    ["/api/stream", BROWSER],
  ] as const) {
    const answer = await fetch(`${url}${path}`, { headers: { accept } });
    assert.equal(answer.status, 401, path);
  }
  const posted = await fetch(`${url}/`, { method: "POST", headers: { accept: BROWSER } });
  assert.equal(posted.status, 401);
});
