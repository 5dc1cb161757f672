import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createSocket } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { stringify } from "yaml";
import type { Span } from "../../scripts/alerts/alert.js";
import { rulesFile } from "../../scripts/alerts/rules.js";
import { temporaryFolder } from "../support/folder.js";
import { until } from "../support/until.js";

interface Context {
  after(end: () => void | Promise<void>): void;
}

/** An alert as Alertmanager told it to the webhook. */
export interface Notification {
  readonly name: string;
  readonly status: "firing" | "resolved";
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Monotonic milliseconds. */
  readonly at: number;
}

/** All spans of the rules are so many times shorter than shipped. */
const SHORTER = 30;
/** A rate needs several scrapes. */
const LEAST_SECONDS = 4;
const span: Span = (seconds) => `${Math.max(LEAST_SECONDS, Math.ceil(seconds / SHORTER))}s`;

/** Why there can be no {@link Alerting}; false if there can. */
export function withoutPrometheus(): string | false {
  const missing = ["prometheus", "prometheus-alertmanager"].filter(
    (program) => spawnSync(program, ["--version"]).status !== 0,
  );
  return missing.length > 0 && `not there: ${missing.join(", ")} (Debian packages)`;
}

/** A real Prometheus that scrapes one service every second, a real Alertmanager, and a webhook that it tells. */
export class Alerting {
  readonly notifications: Notification[] = [];
  readonly prometheusUrl: string;

  private constructor(prometheusUrl: string) {
    this.prometheusUrl = prometheusUrl;
  }

  /** @param targets `host:port` of what is scraped */
  static async start(t: Context, ...targets: string[]): Promise<Alerting> {
    const folder = await temporaryFolder(t);
    const [prometheusPort, alertmanagerPort] = [await freePort(), await freePort()];
    const alerting = new Alerting(`http://127.0.0.1:${prometheusPort}`);
    const webhook = await alerting.#startWebhook(t);
    const write = (name: string, content: object | string): string => {
      const path = join(folder, name);
      writeFileSync(path, typeof content === "string" ? content : stringify(content));
      return path;
    };
    const alertmanager = write("alertmanager.yml", {
      route: {
        receiver: "webhook",
        group_by: ["..."],
        group_wait: "0s",
        group_interval: "1s",
        repeat_interval: "1h",
      },
      receivers: [{ name: "webhook", webhook_configs: [{ url: webhook, send_resolved: true }] }],
    });
    write("rules.yml", rulesFile({ span }));
    const prometheus = write("prometheus.yml", {
      global: { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" },
      rule_files: ["rules.yml"],
      alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${alertmanagerPort}`] }] }] },
      scrape_configs: [{ job_name: "coldpath", static_configs: [{ targets }] }],
    });
    run(t, "prometheus-alertmanager", [
      `--config.file=${alertmanager}`,
      `--storage.path=${join(folder, "alertmanager")}`,
      `--web.listen-address=127.0.0.1:${alertmanagerPort}`,
      "--cluster.listen-address=",
    ]);
    run(t, "prometheus", [
      `--config.file=${prometheus}`,
      `--storage.tsdb.path=${join(folder, "prometheus")}`,
      `--web.listen-address=127.0.0.1:${prometheusPort}`,
    ]);
    await until("Prometheus", () => isReady(`http://127.0.0.1:${prometheusPort}/-/ready`));
    await until("Alertmanager", () => isReady(`http://127.0.0.1:${alertmanagerPort}/-/ready`));
    return alerting;
  }

  /** The first such notification that came since then; undefined if none has come yet. */
  find(name: string, status: Notification["status"], since: number): Notification | undefined {
    return this.notifications.find(
      (each) => each.name === name && each.status === status && each.at >= since,
    );
  }

  /** What Prometheus answers now. @throws Error for an expression that it does not take */
  async query(expr: string): Promise<readonly { metric: Record<string, string>; value: [number, string] }[]> {
    const answer = await fetch(`${this.prometheusUrl}/api/v1/query?${new URLSearchParams({ query: expr })}`);
    const { status, error, data } = (await answer.json()) as {
      status: string;
      error?: string;
      data: { result: readonly { metric: Record<string, string>; value: [number, string] }[] };
    };
    if (status !== "success") throw new Error(`${expr}: ${error}`);
    return data.result;
  }

  async #startWebhook(t: Context): Promise<string> {
    const server = createServer(async (request, response) => {
      const at = performance.now();
      const { alerts } = JSON.parse(await text(request)) as {
        alerts: readonly (Omit<Notification, "at" | "name"> & { labels: { alertname: string } })[];
      };
      for (const { status, labels, annotations } of alerts)
        this.notifications.push({ name: labels.alertname, status, labels, annotations, at });
      response.end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(async () => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }
}

function run(t: Context, program: string, args: readonly string[]): void {
  const child = spawn(program, args, { stdio: "ignore" });
  const ended = once(child, "close");
  t.after(async () => {
    child.kill("SIGKILL");
    await ended;
  });
}

/** Nobody had it a moment ago. */
export async function freePort(): Promise<number> {
  const server = createSocket().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function isReady(url: string): Promise<boolean> {
  return await fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}
