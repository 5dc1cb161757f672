import { GIB } from "../base/units.js";

/** The engine's own configuration, as a server would have it in `config.xml` and `users.xml`. */

/**
 * Everything a recorder and its users do, and nothing that reaches outside of the data folder: no file, URL or remote
 * source, no table engine that reads elsewhere, no shutdown, nothing that makes it fail on purpose, no right to grant more.
 */
const GRANTS: readonly string[] = [
  `GRANT SHOW, SELECT, INSERT, ALTER, CREATE DATABASE, CREATE TABLE, CREATE VIEW, CREATE DICTIONARY, CREATE FUNCTION,
   CREATE TEMPORARY TABLE, CREATE ARBITRARY TEMPORARY TABLE, DROP, UNDROP TABLE, TRUNCATE, OPTIMIZE, KILL QUERY,
   dictGet, CHECK, SYSTEM ON *.*`,
  "REVOKE SYSTEM SHUTDOWN, SYSTEM FAILPOINT, SYSTEM THREAD FUZZER, SYSTEM MEMORY, SYSTEM LISTEN, SYSTEM INSTRUMENT ADD, SYSTEM JEMALLOC ON *.*",
];

/**
 * The engine asks for a grant of a database engine and of a table engine that reaches outside; the local ones it lets
 * through unasked.
 */
const TABLE_ENGINES: readonly string[] = [
  "MergeTree",
  "ReplacingMergeTree",
  "SummingMergeTree",
  "AggregatingMergeTree",
  "CollapsingMergeTree",
  "VersionedCollapsingMergeTree",
  "CoalescingMergeTree",
  "Memory",
  "Null",
  "Set",
  "Join",
  "Buffer",
  "Merge",
  "Log",
  "TinyLog",
  "StripeLog",
  "Dictionary",
  "Atomic",
];

/** Bytes on disk that sorting, grouping and joining may take, all statements together: readers must not fill it. */
const TEMPORARY_MAX = 8 * GIB;

/**
 * `users.xml`: the one user, `default`. Who may do what over HTTP is decided before a statement gets here; these rights
 * are the outer wall.
 *
 * @param queryMemory bytes that one statement may use; its own settings may only say less
 */
export function usersXml(queryMemory: number): string {
  const engines = TABLE_ENGINES.map((engine) => `GRANT TABLE ENGINE ON ${engine}`);
  const grants = [...GRANTS, ...engines].map((grant) => `<query>${grant}</query>`).join("\n");
  return `<clickhouse>
<profiles><default>
<max_memory_usage>${queryMemory}</max_memory_usage>
<max_temporary_data_on_disk_size_for_user>${TEMPORARY_MAX}</max_temporary_data_on_disk_size_for_user>
<constraints>
<max_memory_usage><min>1</min><max>${queryMemory}</max></max_memory_usage>
<max_temporary_data_on_disk_size_for_user><readonly/></max_temporary_data_on_disk_size_for_user>
</constraints>
</default></profiles>
<quotas><default/></quotas>
<users><default>
<password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
<grants>
${grants}
</grants>
</default></users>
</clickhouse>
`;
}

/**
 * Milliseconds between two corrections of the engine's count of its memory by what the allocator says. Without them each
 * session that ends beside a running statement leaves 2 MiB in the count (not in memory), and the limit is reached soon.
 */
const MEMORY_CHECK_MS = 100;

/**
 * Threads that merge parts. On a small machine merges take the cores that inserts need: with two threads a stream of wide
 * rows landed a tenth slower on two cores.
 */
const MERGE_THREADS = 1;

/**
 * `config.xml`.
 *
 * @param usersFile absolute path of {@link usersXml}
 * @param memory bytes that all statements, merges and caches together may use
 */
export function configXml(usersFile: string, memory: number): string {
  return `<clickhouse>
<users_config>${xml(usersFile)}</users_config>
<remote_url_allow_hosts/>
<max_server_memory_usage>${memory}</max_server_memory_usage>
<memory_worker_correct_memory_tracker>true</memory_worker_correct_memory_tracker>
<memory_worker_period_ms>${MEMORY_CHECK_MS}</memory_worker_period_ms>
<mark_cache_size>${Math.floor(memory / 16)}</mark_cache_size>
<index_mark_cache_size>${Math.floor(memory / 64)}</index_mark_cache_size>
<uncompressed_cache_size>0</uncompressed_cache_size>
<background_pool_size>${MERGE_THREADS}</background_pool_size>
<background_merges_mutations_concurrency_ratio>2</background_merges_mutations_concurrency_ratio>
<background_schedule_pool_size>4</background_schedule_pool_size>
<background_common_pool_size>2</background_common_pool_size>
<background_fetches_pool_size>1</background_fetches_pool_size>
<background_move_pool_size>1</background_move_pool_size>
<merge_tree>
<number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
<number_of_free_entries_in_pool_to_execute_mutation>1</number_of_free_entries_in_pool_to_execute_mutation>
<number_of_free_entries_in_pool_to_execute_optimize_entire_partition>1</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
</merge_tree>
</clickhouse>
`;
}

function xml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
