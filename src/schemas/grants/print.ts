import { quoteString } from "../../clickhouse/quote.js";
import { plainName } from "../cluster/editable.js";
import { grantStatement, type Place, ROLES, type RoleName, rightsOf } from "./rights.js";

/** Stands where the hash of a password goes. ClickHouse refuses it until it is replaced. */
const HASH = "SHA-256 of the password, 64 hexadecimal digits";

const MEANING: Readonly<Record<RoleName, string>> = {
  migrator: "runs coldpath migrate",
  writer: "coldpath serve and ingest: the recorder",
  reader: "dashboards and people",
  retention: "for the job that will drop old partitions, which coldpath does not have yet",
};

/** SQL that makes a role for each task with exactly the rights it needs, and an example user for each. */
export function printGrants(place: Place): string {
  const head = [
    "-- Roles with the rights that coldpath needs, and an example user for each. Whoever runs this needs the right to grant.",
    `-- Put into each user the hash that this prints: printf %s "$PASSWORD" | sha256sum`,
  ];
  return `${head.join("\n")}\n\n${ROLES.map((role) => printRole(role, place)).join("\n")}`;
}

function printRole(role: RoleName, place: Place): string {
  const onCluster = place.cluster === undefined ? "" : ` ON CLUSTER ${quoteString(place.cluster)}`;
  const name = `${place.database}_${role}`;
  const user = plainName(`${name}_1`);
  const grants = rightsOf(role, place).flatMap(({ right, on, why }) => [
    `-- ${why}`,
    ...on.map((each) => `${grantStatement(right, each, name, place.cluster)};`),
  ]);
  return `-- ${role}: ${MEANING[role]}
CREATE ROLE IF NOT EXISTS ${plainName(name)}${onCluster};
${grants.join("\n")}
CREATE USER IF NOT EXISTS ${user}${onCluster} IDENTIFIED WITH sha256_hash BY ${quoteString(HASH)};
GRANT${onCluster} ${plainName(name)} TO ${user};
`;
}
