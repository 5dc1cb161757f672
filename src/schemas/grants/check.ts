import { ColdpathError } from "../../base/errors.js";
import type { ClickHouse } from "../../clickhouse/client.js";
import { ClickHouseError } from "../../clickhouse/error.js";
import { grantStatement, type Place, type Right, type RoleName, rightsOf } from "./rights.js";

/** One right in one place. */
interface Wanted extends Omit<Right, "on"> {
  readonly on: string;
}

const SYNTAX_ERROR = 62;

/**
 * Asks the server whether its user has all that a role needs, by whatever roles, wildcards or partial revokes. Servers
 * that do not know CHECK GRANT are not asked: there a statement that is refused says which right it lacked.
 * @throws ColdpathError GRANT_MISSING with every right that is missing, why it is needed, and the statement that grants it
 */
export async function requireRights(clickhouse: ClickHouse, role: RoleName, place: Place): Promise<void> {
  const wanted = rightsOf(role, place)
    .filter(({ isOnce }) => isOnce !== true)
    .flatMap((right) => right.on.map((on): Wanted => ({ ...right, on })));
  if ((await isGranted(clickhouse, wanted)) !== false) return;
  const missing: Wanted[] = [];
  for (const each of wanted) if ((await isGranted(clickhouse, [each])) === false) missing.push(each);
  if (missing.length > 0) throw lacking(clickhouse, missing, place);
}

/** Undefined if the server does not know the question. */
async function isGranted(clickhouse: ClickHouse, wanted: readonly Wanted[]): Promise<boolean | undefined> {
  const list = wanted.map(({ right, on }) => `${right} ON ${on}`).join(", ");
  try {
    const answer = await clickhouse.text(`CHECK GRANT ${list}`, {
      // It takes no FORMAT, and the database may be out of sight for want of these very rights.
      database: "system",
      settings: { default_format: "TSV" },
    });
    return answer.trim() === "1";
  } catch (error) {
    if (error instanceof ClickHouseError && error.clickhouseCode === SYNTAX_ERROR) return undefined;
    throw error;
  }
}

function lacking(clickhouse: ClickHouse, missing: readonly Wanted[], place: Place): ColdpathError {
  const { user } = clickhouse.options;
  const lines = missing.map(
    ({ right, on, why }) =>
      `${right} ON ${on} (for ${why}): ${grantStatement(right, on, user, place.cluster)}`,
  );
  const count = missing.length === 1 ? "a right" : `${missing.length} rights`;
  return new ColdpathError("GRANT_MISSING", `user ${user} lacks ${count}: ${lines.join("; ")}`);
}
