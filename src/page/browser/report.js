// @ts-check
/** Shapes of what the service tells, as far as the page reads them. */

/**
 * @typedef {{ offered: number, refused: number, deduplicated: number, sampled: number, dropped: number, accepted: number,
 *   logged: number, spooled: number, stored: number, deadLettered: number }} Rates
 * @typedef {{
 *   class: string,
 *   offered: number, accepted: number, stored: number, deduplicated: number, sampled: number, deadLettered: number,
 *   refused: Record<string, number>, dropped: Record<string, number>,
 *   pending: { rows: number, bytes: number },
 *   inherited: { stored: number, deadLettered: number, dropped: number, pending: number },
 *   level: { index: number, step: string, since: number }, pressure: { value: number, cause: string },
 *   usage: number, perSecond: { offered: number, stored: number },
 *   oldestSeconds?: number, freshnessSeconds?: number, lastStoredAt?: number,
 *   paused?: { code: string, message: string },
 *   conservation: { holds: boolean },
 * }} TableReport
 * @typedef {{
 *   at: number, recorder: string, run: string,
 *   service: { version: string, pid: number, startedAt: number, uptimeSeconds: number },
 *   link: { state: "up" | "degraded" | "down" | "recovering", reason: string, seconds: number },
 *   memory: { used: number, max: number },
 *   tables: Record<string, TableReport>,
 *   rates: Rates & { tables: Record<string, Rates> },
 *   conditions: { name: string, table: string, message: string }[],
 *   notLanding: { table: string, rows: number, seconds: number }[],
 *   wal?: { state: string, reason: string, refusing?: string, bytes: number, segments: number, freeBytes: number,
 *     pending: Record<string, number>, oldestPendingSeconds?: number, secondsUntilFull?: number },
 *   spool?: Record<string, { state: string, reason: string, bytes: number, max: number | null, rows: number, oldestSeconds?: number }>,
 *   replay?: { cause: "start" | "outage", rows: number, left: number, seconds: number },
 * }} Report
 * @typedef {{ id: number, at: number, level: string, kind: string, message: string }} ServiceEvent
 * @typedef {Record<string, (number | null)[]>} Series
 */
export {};
